package io.signalbox.behaviour

class RedisSemaphoreSpec : SemaphoreBehaviour(Redis())
