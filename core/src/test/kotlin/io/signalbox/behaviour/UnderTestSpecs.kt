package io.signalbox.behaviour

import io.signalbox.event.EventBehaviour
import io.signalbox.mutex.MutexBehaviour

// The suites as users play theirs: under `runTest`, with a real server. In the full run; semaphores see BorrowedRedisSemaphoreSpec.

class UnderTestMutexSpec : MutexBehaviour(UnderTest) {
    override suspend fun play(
        store: Store,
        body: suspend Clients.() -> Unit,
    ) = withClientsUnderTest(store, body)
}

class UnderTestEventSpec : EventBehaviour(UnderTest) {
    override suspend fun play(
        store: Store,
        body: suspend Clients.() -> Unit,
    ) = withClientsUnderTest(store, body)
}

class UnderTestPoolSpec : SemaphoreBehaviour(Pooled(UnderTest)) {
    override suspend fun play(
        store: Store,
        body: suspend Clients.() -> Unit,
    ) = withClientsUnderTest(store, body)
}

private object UnderTest : Redis() {
    override val isEveryday get() = false
}
