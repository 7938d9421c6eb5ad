package dev.countersign.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** Stands between the service and its database, and fails as networks do. */
public final class TcpProxy implements AutoCloseable {

    private final int target;
    private final int port;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private volatile ServerSocket listener;
    private volatile boolean blackHole;
    private volatile boolean dropReplies;
    private volatile Duration delay = Duration.ZERO;

    private TcpProxy(int target, ServerSocket listener) {
        this.target = target;
        this.listener = listener;
        this.port = listener.getLocalPort();
        accept(listener);
    }

    public static TcpProxy to(int target) {
        try {
            return new TcpProxy(target, new ServerSocket(0, 200, InetAddress.getLoopbackAddress()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return port;
    }

    /** From now on, what is sent arrives nowhere, and nobody is told. */
    public void blackHole() {
        blackHole = true;
    }

    /** Resets every connection, and refuses new ones. */
    public void refuse() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        sockets.forEach(TcpProxy::reset);
        sockets.clear();
    }

    /** From now on, what the server answers gets lost, and its connection is reset; what it was asked has arrived. */
    public void dropReplies() {
        dropReplies = true;
    }

    /** From now on, whatever is sent arrives so much later. */
    public void delay(Duration delay) {
        this.delay = delay;
    }

    /** Works again; connections that were in the black hole stay dead. */
    public void heal() {
        delay = Duration.ZERO;
        dropReplies = false;
        try {
            if (blackHole) {
                sockets.forEach(TcpProxy::reset);
                sockets.clear();
                blackHole = false;
            }
            if (listener.isClosed()) {
                ServerSocket again = new ServerSocket();
                again.setReuseAddress(true);
                again.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
                listener = again;
                accept(again);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        refuse();
    }

    private void accept(ServerSocket from) {
        Thread.ofVirtual().start(() -> {
            while (!from.isClosed()) {
                try {
                    join(from.accept());
                } catch (IOException e) {
                    // Closed, or the database refused: the client was reset.
                }
            }
        });
    }

    private void join(Socket client) throws IOException {
        sockets.add(client);
        try {
            Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
            sockets.add(server);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            pump(client, server, false);
            pump(server, client, true);
        } catch (IOException e) {
            reset(client);
            throw e;
        }
    }

    private void pump(Socket from, Socket to, boolean replies) {
        Thread.ofVirtual().start(() -> {
            byte[] buffer = new byte[16 * 1024];
            try {
                for (int read = from.getInputStream().read(buffer);
                        read >= 0;
                        read = from.getInputStream().read(buffer)) {
                    if (replies && dropReplies) {
                        throw new SocketException("The reply is dropped");
                    }
                    LockSupport.parkNanos(delay.toNanos());
                    if (!blackHole) {
                        to.getOutputStream().write(buffer, 0, read);
                    }
                }
                to.close();
            } catch (IOException e) {
                reset(from);
                reset(to);
            }
        });
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (SocketException e) {
            // Closed already.
        }
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
