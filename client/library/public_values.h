// Between the values of the public headers (cidbus::v1) and those of the rooms below.
//
// Thread rule: functions of their arguments. Limits: none.
#pragma once

#include "cidbus/task.h"
#include "client/library/task_record.h"
#include "shared/base/result.h"
#include "shared/content/cid.h"

namespace cidbus::v1 {

Fault to_public(const cidbus::Fault& fault);
cidbus::Fault to_internal(const Fault& fault);
Status to_public(const cidbus::Status& status);
cidbus::Status to_internal(const Status& status);

Cid to_public(const cidbus::Cid& cid);
cidbus::Cid to_internal(const Cid& cid);
Task to_public(const cidbus::TaskRecord& record);

// BadUsage unless there is a broker, each is a HOST:PORT, and the cluster has a name.
Status check_cluster(const std::vector<std::string>& brokers, const std::string& cluster);

}  // namespace cidbus::v1
