package io.signalbox.behaviour

class InMemorySemaphoreSpec : SemaphoreBehaviour(InMemory)
