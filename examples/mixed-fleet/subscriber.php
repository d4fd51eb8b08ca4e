<?php

// Logs the messages of all groups, from all senders: php subscriber.php [ADDRESS]

declare(strict_types=1);

const PING_SECONDS = 25;

$address = $argv[1] ?? 'tcp://127.0.0.1:2206';
for (;;) {
    $socket = @stream_socket_client($address, $code, $reason, 5);
    if ($socket !== false) {
        sendFrame($socket, serialize(['type' => 'subscribe', 'channels' => ['send_to_group']]));
        logMessages($socket);
        fclose($socket);
        $reason = 'the connection has ended';
    }
    // Messages sent meanwhile are lost for this process: PHP peers have no positions.
    fwrite(STDERR, "$address: $reason; trying again\n");
    sleep(1);
}

/** @param resource $socket */
function sendFrame($socket, string $body): void
{
    @fwrite($socket, pack('N', 4 + strlen($body)) . $body);
}

/**
 * Runs until the connection ends.
 *
 * @param resource $socket
 */
function logMessages($socket): void
{
    while (($header = readBytes($socket, 4)) !== null) {
        $length = unpack('N', $header)[1];
        $body = readBytes($socket, $length - 4);
        if ($body === null) return;
        $delivery = unserialize($body, ['allowed_classes' => false]);
        ['group_id' => $group, 'message' => $message] = $delivery['data'];
        echo "group $group: ", is_string($message) ? $message : json_encode($message), "\n";
    }
}

/**
 * @param resource $socket
 * @return string|null null when the connection has ended
 */
function readBytes($socket, int $count): ?string
{
    $bytes = '';
    while (strlen($bytes) < $count) {
        $read = [$socket];
        $none = null;
        // A ping detects a dead host of the hub in time. The hub does not answer it.
        if (stream_select($read, $none, $none, PING_SECONDS) === 0) {
            sendFrame($socket, '');
            continue;
        }
        $chunk = fread($socket, $count - strlen($bytes));
        if ($chunk === false || $chunk === '') return null;
        $bytes .= $chunk;
    }
    return $bytes;
}
