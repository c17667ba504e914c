#include "client/command/proposal_text.h"

#include <CLI/CLI.hpp>

#include "client/command/json_writer.h"
#include "client/command/values.h"
#include "shared/io/random.h"

namespace cidbus {
namespace {

std::string json_of(const Proposal& proposal) {
  JsonWriter json;
  json.open_object().name("id").number(proposal.id).name("type").string(to_text(proposal.kind));
  json.name("subject").string(proposal.subject).name("value").string(proposal_value_text(proposal));
  json.name("status").string(to_text(proposal.status));
  json.name("proposed_by").string(proposal.proposer);
  json.name("proposed_at").string_or_null(to_rfc3339(proposal.proposed_at));
  json.name("deadline").string_or_null(to_rfc3339(proposal.deadline));
  json.name("decided_at").string_or_null(to_rfc3339(proposal.decided_at));
  json.name("version");
  proposal.version == 0 ? json.null() : json.number(proposal.version);
  json.name("votes").open_object().name("eligible").number(proposal.eligible);
  json.name("total").number(std::uint64_t{proposal.yes} + proposal.no);
  json.name("positive").number(proposal.yes).name("negative").number(proposal.no);
  json.name("cast").open_array();
  for (const VoteInfo& vote : proposal.votes) {
    json.open_object().name("node").string(vote.voter).name("yes").boolean(vote.yes);
    json.name("by_person").boolean(vote.by_person).name("reason").string_or_null(vote.reason).close_object();
  }
  json.close_array().name("waiting").open_array();
  for (const std::string_view voter : proposal.waiting) json.string(voter);
  return json.close_array().close_object().close_object().text();
}

using Row = std::vector<std::string>;

Row heading(Output& output) {
  Row row;
  for (const char* name : {"ID", "SUBJECT", "VALUE", "STATUS", "VERSION", "YES", "NO", "OF", "PROPOSED BY",
                           "PROPOSED AT", "UNTIL"})
    row.push_back(output.heading(name));
  return row;
}

Row row_of(const Proposal& proposal) {
  const bool open = proposal.status == ProposalStatus::Pending;
  return {std::to_string(proposal.id),
          printable(proposal.subject),
          proposal_value_text(proposal),
          std::string(to_text(proposal.status)),
          proposal.version == 0 ? "-" : std::to_string(proposal.version),
          std::to_string(proposal.yes),
          std::to_string(proposal.no),
          std::to_string(proposal.eligible),
          printable(proposal.proposer),
          to_rfc3339(proposal.proposed_at),
          to_rfc3339(open ? proposal.deadline : proposal.decided_at)};
}

// Who said what, and who has not said anything.
void print_votes(Output& output, const Proposal& proposal) {
  for (const VoteInfo& vote : proposal.votes) {
    output.line(std::string(vote.yes ? "yes  " : "no   ") + printable(vote.voter) +
                (vote.by_person ? ", by hand" : "") +
                (vote.reason.empty() ? "" : ": " + printable(vote.reason)));
  }
  for (const std::string_view voter : proposal.waiting) output.line("-    " + printable(voter));
}

class List {
 public:
  explicit List(Output& output) : output_(output), rows_{heading(output)} { output_.open_list(); }
  void add(const Proposal& proposal) {
    if (output_.is_json()) output_.item(json_of(proposal));
    if (output_.format() == Format::Quiet) output_.line(std::to_string(proposal.id));
    rows_.push_back(row_of(proposal));
  }
  void end() {
    output_.close_list();
    if (output_.format() == Format::Table) output_.table(rows_);
  }

 private:
  Output& output_;
  std::vector<Row> rows_;
};

// What stands against it, for a line of an error.
std::string why_not(const Proposal& proposal) {
  for (const VoteInfo& vote : proposal.votes)
    if (!vote.yes && !vote.reason.empty()) return printable(vote.voter) + ": " + printable(vote.reason);
  if (proposal.status == ProposalStatus::Expired) return "its deadline came before a majority";
  if (2 * proposal.yes > proposal.eligible) return "what was accepted meanwhile contradicts it";
  return std::to_string(proposal.no) + " of " + std::to_string(proposal.eligible) + " are against it";
}

struct Told {
  std::uint64_t id = 0;  // 0: there is none
  ProposalStatus status = ProposalStatus::Pending;
  std::string problem;
};

// Asks, and shows the proposal that is the answer unless it is to be waited for.
Status tell(Context& context, const Message& question, RequestId request, bool wait, Told& told) {
  const auto take = [&](const Message& message) {
    const auto* answer = std::get_if<Proposals>(&message);
    if (answer == nullptr || answer->request != request) return false;
    if (answer->proposals.empty()) return true;
    const Proposal& proposal = answer->proposals.front();
    told = {proposal.id, proposal.status, {}};
    if (proposal.status != ProposalStatus::Pending || !wait) print_proposal(context.output(), proposal);
    const bool lost =
        proposal.status == ProposalStatus::Rejected || proposal.status == ProposalStatus::Expired;
    if (wait && lost)
      told.problem = "proposal " + std::to_string(proposal.id) + " is " +
                     std::string(to_text(proposal.status)) + ": " + why_not(proposal);
    return true;
  };
  return wait ? context.ask_patiently(question, take) : context.ask(question, take);
}

}  // namespace

void add_proposal_options(CLI::App& app, std::string& deadline, bool& wait) {
  app.add_option("--deadline", deadline, "How long votes are waited for; without it a minute")
      ->type_name("DURATION");
  app.add_flag("--wait", wait, "Wait until it is decided; exit 1 when it is not accepted");
}

Result<int> propose(Context& context, const NewProposal& wanted) {
  std::chrono::milliseconds deadline{0};
  if (!wanted.deadline.empty()) {
    const auto parsed = parse_duration(wanted.deadline);
    if (!parsed) return tl::unexpected(parsed.error());
    deadline = *parsed;
  }
  const RequestId request = context.next_request();
  const std::uint64_t token = random_incarnation().value | 1;
  Told told;
  const Propose question{request, token, wanted.kind, wanted.subject, wanted.value, deadline};
  if (const Status asked = tell(context, question, request, wanted.wait, told); !asked)
    return tl::unexpected(asked.error());
  if (told.id == 0)
    return fault(FaultKind::TryAgain, "another proposal about " + wanted.subject + " came first; try again");
  if (wanted.wait && told.status == ProposalStatus::Pending) {
    const RequestId waits = context.next_request();
    const ProposalsRequest until_decided{waits, told.id, true, false, 0};
    if (const Status asked = tell(context, until_decided, waits, true, told); !asked)
      return tl::unexpected(asked.error());
  }
  if (told.problem.empty()) return 0;
  context.complain(told.problem);
  return 1;
}

Status for_each_proposal(Context& context, bool only_open, const std::function<void(const Proposal&)>& take) {
  std::uint64_t before = 0;
  bool more = true;
  while (more) {
    const RequestId request = context.next_request();
    const ProposalsRequest question{request, 0, false, only_open, before};
    const Status asked = context.ask(question, [&](const Message& message) {
      const auto* answer = std::get_if<Proposals>(&message);
      if (answer == nullptr || answer->request != request) return false;
      for (const Proposal& proposal : answer->proposals) {
        take(proposal);
        before = proposal.id;
      }
      more = answer->more && !answer->proposals.empty();
      return true;
    });
    if (!asked) return asked;
  }
  return {};
}

void print_proposal(Output& output, const Proposal& proposal) {
  if (output.is_json()) return output.line(json_of(proposal));
  if (output.format() == Format::Quiet) return output.line(std::to_string(proposal.id));
  output.table({heading(output), row_of(proposal)});
  print_votes(output, proposal);
}

Result<int> show_proposals(Context& context, std::uint64_t id) {
  if (id != 0) {
    Told told;
    const RequestId request = context.next_request();
    const Status asked = tell(context, ProposalsRequest{request, id, false, false, 0}, request, false, told);
    if (!asked) return tl::unexpected(asked.error());
    if (told.id != 0) return 0;
    return fault(FaultKind::BadUsage, "there is no proposal " + std::to_string(id) +
                                          ", or it was forgotten; see 'cidbus config history'");
  }
  List list(context.output());
  const Status asked =
      for_each_proposal(context, true, [&](const Proposal& proposal) { list.add(proposal); });
  if (!asked) return tl::unexpected(asked.error());
  list.end();
  return 0;
}

Result<int> show_history(Context& context) {
  List list(context.output());
  const Status asked = for_each_proposal(context, false, [&](const Proposal& proposal) {
    if (proposal.status != ProposalStatus::Pending) list.add(proposal);
  });
  if (!asked) return tl::unexpected(asked.error());
  list.end();
  return 0;
}

}  // namespace cidbus
