package dev.countersign.support;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.countersign.support.RawHttp.Reply;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Sends bytes as they are to a port of this machine, and reads replies one by one, on a connection that it keeps for as
 * long as the server does. Not for several threads at once.
 */
public final class KeptConnection implements AutoCloseable {

    private static final int REPLY_WAIT_MILLIS = 60_000;

    private final int port;
    private Socket socket;
    private InputStream in;

    public KeptConnection(int port) {
        this.port = port;
    }

    /**
     * The reply to a request.
     *
     * @param bodiless whether its reply has no body, whatever it says of one, as with HEAD
     */
    public Reply exchange(byte[] request, boolean bodiless) throws IOException {
        boolean fresh = socket == null;
        try {
            write(request);
            return read(bodiless);
        } catch (EOFException | SocketException e) {
            close();
            if (fresh) {
                throw e;
            }
            // The server may end an idle connection whenever it likes.
            return exchange(request, bodiless);
        }
    }

    /** Writes, and waits for nothing. */
    public void write(byte[] bytes) throws IOException {
        connect();
        try {
            socket.getOutputStream().write(bytes);
        } catch (SocketException e) {
            // The server may refuse a request before it has all of it; its reply is there to be read.
        }
    }

    /** Ends the sending, and leaves the other direction open. */
    public void finishWriting() throws IOException {
        connect();
        socket.shutdownOutput();
    }

    /** The next reply, when it is there. */
    public Reply read(boolean bodiless) throws IOException {
        List<String> head = readHead();
        while (head.getFirst().startsWith("HTTP/1.1 100")) {
            head = readHead();
        }
        int space = head.getFirst().indexOf(' ');
        Reply reply = new Reply(Integer.parseInt(head.getFirst(), space + 1, space + 4, 10), head, "");
        String body = bodiless || reply.status() == 204 ? "" : readBody(reply);
        if (reply.header("Connection").equalsIgnoreCase("close")) {
            close();
        }
        return new Reply(reply.status(), head, body);
    }

    /** The next reply, or none when the server ends the connection instead. */
    public Optional<Reply> readUnlessEnded() throws IOException {
        try {
            connect();
            return Optional.of(read(false));
        } catch (EOFException | SocketException e) {
            close();
            return Optional.empty();
        }
    }

    /** Returns when the server has ended the connection; drops what it says until then. */
    public void awaitEnd() throws IOException {
        try {
            connect();
            in.transferTo(OutputStream.nullOutputStream());
        } catch (SocketException e) {
            // Reset, for what the server has not read.
        }
    }

    private void connect() throws IOException {
        if (socket == null) {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(REPLY_WAIT_MILLIS);
            in = new BufferedInputStream(socket.getInputStream());
        }
    }

    /** The lines of the next reply up to its body, an interim one too. */
    public List<String> readHead() throws IOException {
        List<String> head = new ArrayList<>();
        for (String line = readLine(); !line.isEmpty(); line = readLine()) {
            head.add(line);
        }
        return head;
    }

    private String readBody(Reply reply) throws IOException {
        if (!reply.header("Transfer-Encoding").equalsIgnoreCase("chunked")) {
            String length = reply.header("Content-Length");
            return new String(readFully(length.isEmpty() ? 0 : Integer.parseInt(length)), UTF_8);
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (int size = chunkSize(); size > 0; size = chunkSize()) {
            body.write(readFully(size));
            readLine();
        }
        readLine();
        return body.toString(UTF_8);
    }

    private int chunkSize() throws IOException {
        return Integer.parseInt(readLine(), 16);
    }

    private byte[] readFully(int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException();
        }
        return bytes;
    }

    private String readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new EOFException();
            }
            line.write(next);
        }
        return line.toString(ISO_8859_1).stripTrailing();
    }

    @Override
    public void close() {
        if (socket == null) {
            return;
        }
        try {
            socket.close();
        } catch (IOException e) {
            // It was broken, which is why it is closed.
        }
        socket = null;
    }
}
