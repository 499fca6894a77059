package io.signalbox.internal

import io.signalbox.ConnectionState
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update

/** What is told of a client's connection. Nothing follows its end. */
internal class ConnectionStates(
    first: ConnectionState,
) {
    private val states = MutableStateFlow(first)

    val flow: StateFlow<ConnectionState> = states.asStateFlow()

    fun become(next: ConnectionState) = states.update { if (it == ConnectionState.CLOSED) it else next }
}
