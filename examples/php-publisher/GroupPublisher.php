<?php

declare(strict_types=1);

/** Sends messages to groups of a Groupcast hub. Never reads: the hub does not answer publishers. */
final class GroupPublisher
{
    private const TIMEOUT_SECONDS = 5.0;

    private string $address;

    /** @var resource|null */
    private $socket = null;

    /** $address: tcp://127.0.0.1:2206, or unix:///run/groupcast/hub.sock */
    public function __construct(string $address = 'tcp://127.0.0.1:2206')
    {
        $this->address = $address;
    }

    /** Throws RuntimeException when the hub cannot be reached. Success is no receipt. */
    public function send(string $group, string $message): void
    {
        $data = ['group_id' => $group, 'message' => $message];
        $body = serialize(['type' => 'publish', 'channels' => ['send_to_group'], 'data' => $data]);
        $frame = pack('N', 4 + strlen($body)) . $body;
        $socket = $this->connection();
        for ($sent = 0; $sent < strlen($frame); $sent += $written) {
            $written = @fwrite($socket, $sent === 0 ? $frame : substr($frame, $sent));
            if ($written === false || $written === 0) {
                $this->socket = null;
                throw new RuntimeException("The hub at {$this->address} takes nothing more.");
            }
        }
    }

    /** @return resource */
    private function connection()
    {
        $read = [$this->socket];
        $none = null;
        // Readable means closed: the hub was restarted. A write would be lost without an error.
        if ($this->socket !== null && stream_select($read, $none, $none, 0) > 0) $this->socket = null;
        if ($this->socket === null) {
            $socket = @stream_socket_client($this->address, $code, $reason, self::TIMEOUT_SECONDS);
            if ($socket === false) throw new RuntimeException("The hub at {$this->address} cannot be reached: $reason");
            $this->socket = $socket;
        }
        return $this->socket;
    }
}
