<?php
// The hub's client for the other scripts: like those of Workerman, a worker ends with 250 on any
// frame that it did not ask for. Frames must be exactly the output of serialize().

const UNASKED = 250;
const RETRY_SECONDS = 1.0;

function say(string $line): void
{
    // In one write, so that a killed process leaves complete lines.
    fwrite(STDOUT, "$line\n");
}

/** Comparable between the processes of this host. */
function monotonicMicroseconds(): int
{
    return intdiv(hrtime(true), 1000);
}

function fail(string $why): never
{
    fwrite(STDERR, "$why\n");
    exit(UNASKED);
}

/** A complete frame: its length, itself included, and a serialized value. */
function frame(array $message): string
{
    $body = serialize($message);
    return pack('N', strlen($body) + 4) . $body;
}

final class Hub
{
    private mixed $socket = null;
    private string $received = '';
    private bool $wasConnected = false;
    private float $retryAt = 0.0;
    /** Callbacks by event, or by queue; called with the data. */
    private array $events = [];
    private array $queues = [];

    /** `$changed` is called with 'connected', 'lost' and 'refused'. */
    public function __construct(private int $port, private ?Closure $changed = null)
    {
    }

    public function isConnected(): bool
    {
        return $this->socket !== null;
    }

    public function on(string $event, Closure $callback): void
    {
        $this->events[$event] = $callback;
        $this->send(['type' => 'subscribe', 'channels' => [$event]]);
        // Workers send it twice when they connect for the first time.
        $this->send(['type' => 'subscribe', 'channels' => [$event]]);
    }

    public function off(string $event): void
    {
        $this->send(['type' => 'unsubscribe', 'channels' => [$event]]);
        unset($this->events[$event]);
    }

    /** Processes the items of a queue, one after another. */
    public function watch(string $queue, Closure $callback): void
    {
        $this->queues[$queue] = $callback;
        $this->send(['type' => 'watch', 'channels' => [$queue]]);
        $this->send(['type' => 'reserve']);
    }

    public function unwatch(string $queue): void
    {
        $this->send(['type' => 'unwatch', 'channels' => [$queue]]);
        unset($this->queues[$queue]);
    }

    /** Returns whether it was written. */
    public function publish(string $event, mixed $data): bool
    {
        return $this->send(['type' => 'publish', 'channels' => [$event], 'data' => $data]);
    }

    /** One request for all of the events. */
    public function publishToAll(array $events, mixed $data): bool
    {
        return $this->send(['type' => 'publish', 'channels' => $events, 'data' => $data]);
    }

    public function publishLoop(string $event, mixed $data): bool
    {
        return $this->send(['type' => 'publishLoop', 'channels' => [$event], 'data' => $data]);
    }

    public function enqueue(string $queue, mixed $data): bool
    {
        return $this->send(['type' => 'enqueue', 'channels' => [$queue], 'data' => $data]);
    }

    public function sendToGroup(string|int $group, mixed $message): bool
    {
        return $this->publish('send_to_group', ['group_id' => $group, 'message' => $message]);
    }

    /** An empty frame, as workers send it now and then. */
    public function ping(): void
    {
        $this->write(pack('N', 4));
    }

    public function connect(): bool
    {
        $context = stream_context_create(['socket' => ['tcp_nodelay' => true]]);
        $socket = @stream_socket_client("tcp://127.0.0.1:$this->port", $code, $why, 5, STREAM_CLIENT_CONNECT, $context);
        if ($socket === false) {
            $this->retryAt = microtime(true) + RETRY_SECONDS;
            $this->tell('refused');
            return false;
        }
        $this->socket = $socket;
        $this->received = '';
        // A key of an array that looks like an integer has become one.
        if ($this->events !== []) $this->send(['type' => 'subscribe', 'channels' => array_keys($this->events)]);
        if ($this->queues !== []) {
            $this->send(['type' => 'watch', 'channels' => array_keys($this->queues)]);
            $this->send(['type' => 'reserve']);
        }
        $this->tell('connected');
        return true;
    }

    /** Reconnects if necessary, and processes input for the given seconds. */
    public function poll(float $seconds): void
    {
        if ($this->socket === null) {
            $wait = $this->retryAt - microtime(true);
            if ($wait > 0) usleep((int) (min($wait, $seconds) * 1e6));
            elseif (!$this->connect()) return;
        }
        if ($this->socket === null) return;
        $readable = [$this->socket];
        $none = null;
        if (stream_select($readable, $none, $none, (int) $seconds, (int) (fmod($seconds, 1) * 1e6)) === 0) return;
        $bytes = @fread($this->socket, 65536);
        if ($bytes === false || $bytes === '') {
            if ($bytes === false || feof($this->socket)) $this->lost();
            return;
        }
        $this->received .= $bytes;
        $this->take();
    }

    public function close(): void
    {
        fclose($this->socket);
        $this->socket = null;
    }

    private function take(): void
    {
        $at = 0;
        while (strlen($this->received) - $at >= 4) {
            $length = unpack('N', $this->received, $at)[1];
            if (strlen($this->received) - $at < max($length, 4)) break;
            $body = substr($this->received, $at + 4, $length - 4);
            $at += $length;
            $this->receive($body);
            // The callback may have ended the connection.
            if ($this->socket === null) return;
        }
        $this->received = substr($this->received, $at);
    }

    private function receive(string $body): void
    {
        $message = @unserialize($body, ['allowed_classes' => false]);
        if (!is_array($message)) fail('A frame that is no message: ' . bin2hex($body));
        if (serialize($message) !== $body) fail('A message that PHP writes in another way: ' . bin2hex($body));
        ['type' => $type, 'channel' => $channel, 'data' => $data] = $message + ['type' => '', 'channel' => '', 'data' => null];
        if ($type === 'event') {
            $callback = $this->events[$channel] ?? fail("An event without a callback: $channel");
            $callback($data, $channel);
        } elseif ($type === 'queue') {
            $callback = $this->queues[$channel] ?? fail("An item without a callback: $channel");
            $callback($data, $channel);
            $this->send(['type' => 'reserve']);
        } else {
            fail('A message of a type that is not known: ' . bin2hex($body));
        }
    }

    private function send(array $message): bool
    {
        return $this->write(frame($message));
    }

    private function write(string $bytes): bool
    {
        if ($this->socket === null) return false;
        if (@fwrite($this->socket, $bytes) === strlen($bytes)) return true;
        $this->lost();
        return false;
    }

    private function lost(): void
    {
        $this->close();
        $this->retryAt = microtime(true) + RETRY_SECONDS;
        $this->tell('lost');
    }

    private function tell(string $change): void
    {
        if ($this->changed !== null) ($this->changed)($change);
    }
}
