// `cidbus submit --batch`: a task a line in, an answer a line out, in the order of the lines, as a stream.
//
// Lines are read while there is room for more, so memory stays bounded however long the file is: what waits
// is submissions the broker has not answered, and answers that stand behind one still to come. A line that
// cannot be submitted is answered in its place, and the stream goes on.
//
// Thread rule: one at a time. Limits: batch_line_bytes a line; 100,000 lines or 32 MiB of inputs and answers
// on the way.
#pragma once

#include <string>

#include "client/command/context.h"

namespace cidbus {

inline constexpr std::size_t batch_line_bytes = 1 << 20;

// `file` is a path, or "-" for standard input. Gives 0 when every line was accepted (completed, with `wait`),
// or the exit code of the first that was not.
Result<int> submit_batch(Context& context, const std::string& file, bool wait);

// {"id":…,"duplicate":…}
std::string accepted_json(TaskId task, bool duplicate);

}  // namespace cidbus
