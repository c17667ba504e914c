// A program's task type as the worker knows task types.
//
// Invariant: no exception of the program's code gets past it.
//
// Thread rule: that of worker/handlers/handler.h. Limits: none of its own.
#pragma once

#include <memory>

#include "cidbus/worker.h"
#include "worker/handlers/handler.h"

namespace cidbus::v1 {

std::unique_ptr<cidbus::Handler> adapt_handler(TaskType type, Worker::Function run);

}  // namespace cidbus::v1
