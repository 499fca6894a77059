package io.signalbox.cluster

import io.signalbox.behaviour.Pooled
import io.signalbox.behaviour.SemaphoreBehaviour
import io.signalbox.event.EventBehaviour
import io.signalbox.mutex.MutexBehaviour
import io.signalbox.observation.ObservationBehaviour

// The suites, unchanged, where one server is not enough: on a cluster in every run, under Sentinels and more of a cluster in the full one.

class ClusterSemaphoreSpec : SemaphoreBehaviour(Cluster())

class ClusterMutexSpec : MutexBehaviour(BorrowedCluster)

class ClusterEventSpec : EventBehaviour(Cluster())

class ClusterObservationSpec : ObservationBehaviour(Cluster())

class ClusterPoolSpec : SemaphoreBehaviour(Pooled(Cluster(isEveryday = false)))

class SentinelSemaphoreSpec : SemaphoreBehaviour(Sentinel())

class SentinelMutexSpec : MutexBehaviour(Sentinel())

class SentinelEventSpec : EventBehaviour(Sentinel())

class SentinelObservationSpec : ObservationBehaviour(Sentinel())

class SentinelPoolSpec : SemaphoreBehaviour(Pooled(Sentinel()))
