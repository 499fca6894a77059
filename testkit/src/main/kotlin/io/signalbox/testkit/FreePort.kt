package io.signalbox.testkit

import java.net.InetAddress
import java.net.ServerSocket

/** A loopback TCP port that was free a moment ago. */
internal fun freePort(): Int = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
