<?php

declare(strict_types=1);

/** Sends messages to groups of a Groupcast hub. Needs PHP 7.4, and no extension. */
final class GroupPublisher
{
    private const CLOSED = 'closed the connection. Does it --trust this host? Its log has the reason';

    private string $address;
    private float $timeoutSeconds;
    /** An event of this connection only, which confirms that the hub has read what precedes it. */
    private string $receipt;
    private bool $subscribed = false;
    /** Whether a connection ended with messages that the hub had not confirmed. */
    private bool $lost = false;
    private bool $unconfirmed = false;

    /** @var resource|null */
    private $socket = null;

    /** $address: tcp://127.0.0.1:2206, or unix:///run/groupcast/hub.sock */
    public function __construct(string $address = 'tcp://127.0.0.1:2206', float $timeoutSeconds = 5.0)
    {
        $this->address = $address;
        $this->timeoutSeconds = $timeoutSeconds;
        $this->receipt = 'receipt:' . bin2hex(random_bytes(8));
    }

    /** Throws RuntimeException when the hub cannot be reached. See also confirm. */
    public function send(string $group, string $message): void
    {
        $data = ['group_id' => $group, 'message' => $message];
        $this->write($this->frame(['type' => 'publish', 'channels' => ['send_to_group'], 'data' => $data]));
        $this->unconfirmed = true;
    }

    /**
     * Waits until the hub has read all messages since the last call. Throws RuntimeException when
     * the hub has closed a connection instead, for example because it does not trust this host.
     */
    public function confirm(): void
    {
        // The hub answers no publisher, but it reads requests in order, and sends this event back.
        $event = $this->frame(['type' => 'publishLoop', 'channels' => [$this->receipt], 'data' => '']);
        if (!$this->subscribed) {
            $event = $this->frame(['type' => 'subscribe', 'channels' => [$this->receipt]]) . $event;
        }
        $this->write($event);
        if ($this->lost) {
            $this->lost = false;
            $this->fail(self::CLOSED);
        }
        $this->subscribed = true;
        $length = unpack('N', $this->read(4))[1];
        $this->read($length - 4);
        $this->unconfirmed = false;
    }

    private function frame(array $request): string
    {
        $body = serialize($request);
        return pack('N', 4 + strlen($body)) . $body;
    }

    private function write(string $bytes): void
    {
        $socket = $this->connection();
        for ($sent = 0; $sent < strlen($bytes); $sent += $written) {
            $written = @fwrite($socket, $sent === 0 ? $bytes : substr($bytes, $sent));
            if ($written === false || $written === 0) $this->fail('takes nothing more');
        }
    }

    private function read(int $length): string
    {
        for ($bytes = ''; strlen($bytes) < $length; $bytes .= $chunk) {
            $chunk = (string) @fread($this->socket, $length - strlen($bytes));
            if ($chunk !== '') continue;
            if (!stream_get_meta_data($this->socket)['timed_out']) {
                $this->fail(self::CLOSED);
            }
            $this->fail("has not confirmed within {$this->timeoutSeconds} s");
        }
        return $bytes;
    }

    /** @return resource */
    private function connection()
    {
        $read = [$this->socket];
        $none = null;
        // Readable means closed: the hub was restarted. A write would be lost without an error.
        if ($this->socket !== null && stream_select($read, $none, $none, 0) > 0) $this->socket = null;
        if ($this->socket === null) {
            $socket = @stream_socket_client($this->address, $code, $reason, $this->timeoutSeconds);
            if ($socket === false) $this->fail("cannot be reached: $reason");
            stream_set_timeout($socket, 0, (int) ($this->timeoutSeconds * 1e6));
            $this->socket = $socket;
            $this->lost = $this->lost || $this->unconfirmed;
            $this->unconfirmed = $this->subscribed = false;
        }
        return $this->socket;
    }

    private function fail(string $how): void
    {
        $this->socket = null;
        throw new RuntimeException("The hub at {$this->address} $how.");
    }
}
