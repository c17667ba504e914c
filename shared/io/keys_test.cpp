#include "shared/base/limits/keys.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "shared/io/bus_link.h"
#include "shared/io/key_view.h"
#include "shared/io/node_options.h"
#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

class RecordingLog : public Log {
 public:
  void write(LogLevel, std::string_view line) override {
    const std::lock_guard guard(lock_);
    lines_ += std::string(line) + '\n';
  }
  std::string lines() {
    const std::lock_guard guard(lock_);
    return lines_;
  }

 private:
  std::mutex lock_;
  std::string lines_;
};

class Keys : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name)) << content;
  }
  // Its key file, and its line.
  KeyHolder make(const std::string& name, RoleSet roles) {
    const KeyPair pair = make_key_pair();
    EXPECT_TRUE(write_private_key(path(name + ".key"), pair, name, false));
    secrets_.push_back(pair.private_key);
    return {pair.public_key, name, roles};
  }
  void allow(const std::vector<KeyHolder>& holders) const {
    std::string text;
    for (const KeyHolder& holder : holders) text += allow_line(holder) + "\n";
    write("allow", text);
  }
  Trust trust(const std::string& name) {
    auto keys = Keyring::open(path(name + ".key"), path("allow"));
    EXPECT_TRUE(keys) << keys.error().message;
    Trust trust;
    trust.keys = *keys;
    trust.log = &log_;
    return trust;
  }
  Fault refusal(const NodeOptions& options, Role role) {
    const auto trust = trust_of(options, role, log_);
    EXPECT_FALSE(trust);
    return trust ? Fault{} : trust.error();
  }

  TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
  std::vector<std::string> secrets_;
  RecordingLog log_;
};

template <typename Predicate>
bool comes_true(Predicate predicate) {
  for (int wait = 0; wait < 1000; ++wait) {
    if (predicate()) return true;
    pollfd nothing{-1, 0, 0};
    ::poll(&nothing, 1, 10);
  }
  return false;
}

TEST_F(Keys, APrivateKeyIsForItsOwnersEyesAndIsNotOverwritten) {
  const KeyHolder w1 = make("w1", {Role::Worker});
  struct stat facts {};
  ASSERT_EQ(::stat(path("w1.key").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  const auto read = read_private_key(path("w1.key"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->public_key, w1.key);
  const Status again = write_private_key(path("w1.key"), make_key_pair(), "w1", false);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("--force"));
  EXPECT_EQ(read_private_key(path("w1.key"))->public_key, w1.key);
  EXPECT_TRUE(write_private_key(path("w1.key"), make_key_pair(), "w1", true));
  EXPECT_NE(read_private_key(path("w1.key"))->public_key, w1.key);
}

TEST_F(Keys, APrivateKeyThatOthersMayReadIsRefusedWithWhatToDo) {
  make("w1", {Role::Worker});
  for (const mode_t mode : {0640U, 0604U, 0620U}) {
    ASSERT_EQ(::chmod(path("w1.key").c_str(), mode), 0);
    const auto read = read_private_key(path("w1.key"));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, FaultKind::NotAllowed);
    EXPECT_THAT(read.error().message, HasSubstr("chmod 600 " + path("w1.key")));
  }
}

TEST_F(Keys, AFileThatHoldsNoPrivateKeyIsToldAndNotShown) {
  EXPECT_EQ(read_private_key(path("none")).error().kind, FaultKind::NotFound);
  EXPECT_EQ(read_private_key(folder_.string()).error().kind, FaultKind::BadData);
  const std::string key = make_key_pair().private_key;
  for (const std::string& bad : {std::string(), std::string("\n\n"), key.substr(1), key + key,
                                 key + "\n" + key + "\n", std::string(40, '~'), std::string(100'000, 'x'),
                                 std::string("w1 worker ") + key, std::string(40, '\0')}) {
    write("bad.key", bad);
    ASSERT_EQ(::chmod(path("bad.key").c_str(), 0600), 0);
    const auto read = read_private_key(path("bad.key"));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, FaultKind::BadData);
    EXPECT_THAT(read.error().message, Not(HasSubstr(key.substr(1, 20))));
  }
}

TEST_F(Keys, ANodeStartsOnlyWithAKeyForItsNameAndRole) {
  const KeyHolder w1 = make("w1", {Role::Worker});
  NodeOptions options;
  options.name = "w1";
  options.keys.key = path("w1.key");
  EXPECT_THAT(refusal(options, Role::Worker).message, AllOf(HasSubstr("allow"), HasSubstr(".pub lines")));
  allow({});
  EXPECT_THAT(refusal(options, Role::Worker).message, HasSubstr("is not in the allow-list " + path("allow")));
  allow({w1});
  EXPECT_TRUE(trust_of(options, Role::Worker, log_));
  const Fault role = refusal(options, Role::Observer);
  EXPECT_EQ(exit_code(role.kind), 77);
  EXPECT_THAT(role.message, AllOf(HasSubstr("'w1' as worker"), HasSubstr("not as observer")));
  options.name = "w2";
  EXPECT_THAT(refusal(options, Role::Worker).message, HasSubstr("not to 'w2'"));
  options.keys.insecure = true;
  EXPECT_EQ(refusal(options, Role::Worker).kind, FaultKind::BadUsage);
}

TEST_F(Keys, AnAllowListThatEverybodyMayWriteIsRefused) {
  allow({make("w1", {Role::Worker})});
  ASSERT_EQ(::chmod(path("allow").c_str(), 0666), 0);
  const auto keys = Keyring::open(path("w1.key"), path("allow"));
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().kind, FaultKind::NotAllowed);
  EXPECT_THAT(keys.error().message, HasSubstr("chmod o-w"));
}

TEST_F(Keys, AListIsReadAgainOnceItRestsAndABadOneIsNotUsed) {
  const KeyHolder w1 = make("w1", {Role::Worker});
  const KeyHolder w2 = make("w2", {Role::Worker});
  allow({w1});
  const auto opened = Keyring::open(path("w1.key"), path("allow"));
  ASSERT_TRUE(opened);
  Keyring& keys = **opened;
  EXPECT_FALSE(keys.reload());
  allow({w1, w2});
  EXPECT_FALSE(keys.reload()) << "it changed since the last look; somebody may be at it";
  const auto reloaded = keys.reload();
  ASSERT_TRUE(reloaded);
  EXPECT_TRUE(reloaded->good);
  EXPECT_EQ(keys.version(), 2U);
  EXPECT_NE(keys.list()->find(w2.key), nullptr);

  write("allow", allow_line(w1) + "\nrubbish\n");
  EXPECT_FALSE(keys.reload());
  const auto bad = keys.reload();
  ASSERT_TRUE(bad);
  EXPECT_FALSE(bad->good);
  EXPECT_THAT(bad->line, AllOf(HasSubstr("line 2"), HasSubstr("stays in force")));
  EXPECT_FALSE(keys.reload()) << "told once";
  EXPECT_NE(keys.list()->find(w2.key), nullptr);

  std::filesystem::remove(path("allow"));
  EXPECT_FALSE(keys.reload());
  EXPECT_FALSE(keys.reload()->good);
  EXPECT_NE(keys.list()->find(w2.key), nullptr);
}

TEST_F(Keys, WithoutThemNothingLeavesLoopback) {
  SocketContext context;
  Socket router(context, SocketKind::Router);
  for (const char* address :
       {"0.0.0.0:*", "*:*", "10.0.0.1:9096", "127.evil.example:9096", "localhost.example:1"}) {
    EXPECT_EQ(router.bind(address).error().kind, FaultKind::NotAllowed) << address;
    EXPECT_EQ(Socket(context, SocketKind::Dealer).connect(address).error().kind, FaultKind::NotAllowed)
        << address;
  }
  EXPECT_TRUE(router.bind("127.0.0.1:*"));
  EXPECT_TRUE(Socket(context, SocketKind::Dealer).connect("localhost:9"));
  Trust insecure;
  insecure.insecure = true;
  SocketContext open(insecure);
  EXPECT_TRUE(Socket(open, SocketKind::Router).bind("0.0.0.0:*"));
}

// What each pair of ends says to the other.
class Ends : public Keys {
 protected:
  Ends() {
    server_ = make("b1", {Role::Master});
    client_ = make("w1", {Role::Worker});
    stranger_ = make("x", {Role::Worker});
    allow({server_, client_});
  }
  // Waits for the first word on whether there is a connection.
  static ConnectionEvent first_event(Socket& socket) {
    std::optional<ConnectionEvent> event;
    EXPECT_TRUE(comes_true([&] { return (event = socket.next_event()).has_value(); }));
    return event.value_or(ConnectionEvent::Disconnected);
  }
  // Each end may be the first to see that the other trusts otherwise, and the second sees it break off.
  static ConnectionEvent connect(SocketContext& context, SocketKind kind, const Socket& to,
                                 const std::string& key) {
    ConnectionEvent event = ConnectionEvent::BrokenOff;
    for (int attempt = 0; attempt < 30 && event == ConnectionEvent::BrokenOff; ++attempt) {
      Socket socket(context, kind);
      socket.monitor();
      EXPECT_TRUE(socket.connect(to.bound_address(), key));
      event = first_event(socket);
    }
    return event;
  }
  void expect_no_secret_in_the_log() {
    for (const std::string& secret : secrets_) EXPECT_THAT(log_.lines(), Not(HasSubstr(secret)));
    for (const KeyHolder* holder : {&server_, &client_, &stranger_})
      EXPECT_THAT(log_.lines(), Not(HasSubstr(holder->key)));
  }

  KeyHolder server_, client_, stranger_;
};

TEST_F(Ends, OnlyGoodKeysConnectOnEveryKindOfSocket) {
  SocketContext broker(trust("b1"));
  SocketContext worker(trust("w1"));
  SocketContext keyless;
  allow({server_, client_, stranger_});
  SocketContext stranger(trust("x"));  // it believes itself to be on the list
  allow({server_, client_});
  // Which end notices first is chance, and all that the other sees then is that it breaks off.
  const auto either_ends_it = AnyOf(ConnectionEvent::OtherTrust, ConnectionEvent::BrokenOff);
  const std::pair<SocketKind, SocketKind> kinds[] = {{SocketKind::Router, SocketKind::Dealer},
                                                     {SocketKind::XPub, SocketKind::Sub},
                                                     {SocketKind::XSub, SocketKind::Pub}};
  for (const auto& [bound, connecting] : kinds) {
    Socket socket(broker, bound);
    ASSERT_TRUE(socket.bind("127.0.0.1:*"));
    EXPECT_EQ(connect(worker, connecting, socket, server_.key), ConnectionEvent::Connected);
    EXPECT_EQ(connect(worker, connecting, socket, client_.key), ConnectionEvent::BrokenOff) << "not its key";
    EXPECT_EQ(connect(stranger, connecting, socket, server_.key), ConnectionEvent::NotAdmitted);
    EXPECT_THAT(connect(keyless, connecting, socket, {}), either_ends_it);
  }
  Socket plain(keyless, SocketKind::Router);
  ASSERT_TRUE(plain.bind("127.0.0.1:*"));
  EXPECT_THAT(connect(worker, SocketKind::Dealer, plain, server_.key), either_ends_it);
  EXPECT_TRUE(
      comes_true([&] { return log_.lines().find("the last one came from 127.0.0.1") != std::string::npos; }));
  expect_no_secret_in_the_log();
}

TEST_F(Ends, ASocketAdmitsTheRolesItIsFor) {
  SocketContext broker(trust("b1"));
  SocketContext worker(trust("w1"));
  Socket::Options options;
  options.admits = {Role::Master};
  Socket mesh(broker, SocketKind::Router, options);
  ASSERT_TRUE(mesh.bind("127.0.0.1:*"));
  EXPECT_EQ(connect(worker, SocketKind::Dealer, mesh, server_.key), ConnectionEvent::NotAdmitted);
  EXPECT_EQ(connect(broker, SocketKind::Dealer, mesh, server_.key), ConnectionEvent::Connected);
}

TEST_F(Ends, NothingIsConnectedToWithoutAKeyForIt) {
  SocketContext worker(trust("w1"));
  const Status connected = Socket(worker, SocketKind::Dealer).connect("127.0.0.1:9096");
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().kind, FaultKind::NotAllowed);
}

TEST_F(Ends, EveryMessageTellsItsHolderAndARevokedOneIsCut) {
  SocketContext broker(trust("b1"));
  SocketContext worker(trust("w1"));
  KeyView view(broker);
  Socket router(broker, SocketKind::Router);
  ASSERT_TRUE(router.bind("127.0.0.1:*"));
  Socket dealer(worker, SocketKind::Dealer);
  dealer.monitor();
  ASSERT_TRUE(dealer.connect(router.bound_address(), server_.key));
  ASSERT_EQ(first_event(dealer), ConnectionEvent::Connected);
  Frames frames;
  ASSERT_EQ(dealer.send({as_bytes("hello")}), SendAnswer::Sent);
  ASSERT_TRUE(comes_true([&] { return router.receive(frames); }));
  EXPECT_EQ(frames.key(), client_.key);
  EXPECT_EQ(view.holder(frames)->name, "w1");
  EXPECT_FALSE(view.refresh());

  allow({server_, stranger_});
  ASSERT_TRUE(comes_true([&] { return view.refresh(); }));
  ASSERT_EQ(dealer.send({as_bytes("still here")}), SendAnswer::Sent);
  ASSERT_TRUE(comes_true([&] { return router.receive(frames); }));
  EXPECT_TRUE(view.holder(frames)->roles.empty());
  frames.cut_connection();
  EXPECT_EQ(first_event(dealer), ConnectionEvent::Disconnected);
  EXPECT_EQ(first_event(dealer), ConnectionEvent::NotAdmitted) << "when it comes back";
  expect_no_secret_in_the_log();
}

TEST_F(Ends, AKeyThatWasAddedTakesNothingFromAnybody) {
  SocketContext broker(trust("b1"));
  KeyView view(broker);
  allow({server_, client_, stranger_});
  ASSERT_TRUE(comes_true([&] { return broker.keys()->version() == 2; }));
  EXPECT_FALSE(view.refresh());
  EXPECT_EQ(view.holder(stranger_.key)->name, "x");
}

// It breaks every connection off, as a broker does that is another than the one whose key is tried.
class BreaksOff {
 public:
  BreaksOff() : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(descriptor_, 16), 0);
    EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~BreaksOff() { ::close(descriptor_); }
  BreaksOff(const BreaksOff&) = delete;
  BreaksOff& operator=(const BreaksOff&) = delete;
  [[nodiscard]] const std::string& address() const { return address_; }
  // The next one, if it comes within so many milliseconds.
  bool break_one_off(int within = 60'000) const {
    pollfd wanted{descriptor_, POLLIN, 0};
    if (::poll(&wanted, 1, within) != 1) return false;
    return ::close(::accept(descriptor_, nullptr, nullptr)) == 0;
  }

 private:
  int descriptor_;
  std::string address_;
};

struct CountsRefusals : BusLink::Owner {
  Hello make_hello() override { return {}; }
  void on_bound(Now, const Welcome&) override {}
  void on_unbound(Now) override {}
  void on_message(Now, const Header&, const Message&) override {}
  void on_refused(Now, const Refused&) override { ++refusals; }
  int refusals = 0;
};

// libzmq connects anew by itself, so one key can be broken off many times before a process that has little of
// the machine looks: it is one key tried all the same.
TEST_F(Keys, OnlyWhenEveryBrokersKeyWasTriedAnAddressHasRefused) {
  const KeyHolder person = make("person", {Role::Client});
  allow({make("b1", {Role::Master}), make("b2", {Role::Master}), make("b3", {Role::Master}), person});
  SocketContext context(trust("person"));
  Reactor reactor;
  CountsRefusals owner;
  const BreaksOff broker;
  BusLink link(context, reactor, {"test", "person", Role::Client, {1}}, {broker.address()}, owner);
  ASSERT_TRUE(link.open());
  for (int key = 1; key <= 3; ++key) {
    for (int time = 0; time < 5; ++time) ASSERT_TRUE(broker.break_one_off());
    EXPECT_EQ(owner.refusals, 0) << "key " << key;
    // One turn sees that it was broken off, and opens the next key's socket.
    reactor.run_once(std::chrono::seconds(10));
    reactor.run_once(Duration::zero());
  }
  EXPECT_TRUE(comes_true([&] {
    broker.break_one_off(0);
    reactor.run_once(Duration::zero());
    return owner.refusals == 1;
  }));
}

}  // namespace
}  // namespace cidbus
