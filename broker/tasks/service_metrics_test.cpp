// How old the queue is said to be: since when its oldest task could have been handed out.
#include <gtest/gtest.h>

#include "broker/tasks/transcript.h"

namespace cidbus {
namespace {

using testing_tasks::Transcript;

double oldest_seconds(Transcript& scene) {
  Registry registry;
  scene.service->read_metrics(scene.now, registry);
  return registry.gauge(Metric::QueueOldestAge, "echo").value();
}

TEST(TaskServiceMetrics, ATaskThatHadToWaitForItsTimeIsNotOldWhenItComes) {
  Transcript scene;
  scene.play("c1 submit s1 low=1 1:echo,delay=60000\ncommit\nwait 60000\n");
  EXPECT_EQ(oldest_seconds(scene), 0);
  scene.play("wait 5000\n");
  EXPECT_EQ(oldest_seconds(scene), 5);
}

TEST(TaskServiceMetrics, ATaskThatRanForLongIsNotOldWhenItComesBack) {
  Transcript scene;
  scene.play("w1 hello echo\nw1 credit 1\nc1 submit s1 low=1 1:echo\ncommit\n");
  for (int time = 0; time < 20; ++time) scene.play("wait 3000\nw1 renew t4.1\n");
  scene.play("w1 complete t4.1 back\ncommit\n");
  EXPECT_EQ(oldest_seconds(scene), 0) << "it was accepted a minute ago";
  scene.play("wait 2000\n");
  EXPECT_EQ(oldest_seconds(scene), 2);
}

TEST(TaskServiceMetrics, ANewLeaderCountsWhatWaitedBeforeIt) {
  Transcript scene;
  scene.play("c1 submit s1 low=1 1:echo\ncommit\nwait 7000\noffice\nwait 1000\n");
  EXPECT_EQ(oldest_seconds(scene), 8);
}

}  // namespace
}  // namespace cidbus
