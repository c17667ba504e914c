// Pieces of responses that more than one rule writes. Inside this room only.
//
// Thread rule: functions of their arguments. Limits: none.
#pragma once

#include <string>
#include <string_view>

#include "gateway/routes/response.h"
#include "gateway/routes/routes.h"

namespace cidbus {

// Pages of the gateway's own hold no script and load nothing.
inline constexpr std::string_view page_policy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors "
    "'none'";

// Content may be read by pages of any origin: it is public, and names itself.
Response with_cross_origin(Response response);

// "/ipfs/CID/a%20b", with as many segments as asked for, without a slash at the end.
std::string encoded_path(const ContentQuestion& question, std::size_t segments);

// The entity tag of what the path leads to, in the form asked for, quotes included.
std::string entity_tag(const ContentQuestion& question, const Finding& found);

}  // namespace cidbus
