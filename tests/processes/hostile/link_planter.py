#!/usr/bin/python3
"""Gives the worker a link to a file of the machine instead of a result."""
import os

os.symlink(os.environ["PARAM_target"], "/task/output")
