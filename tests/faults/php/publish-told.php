<?php
// publish-told.php PORT: sends each line `GROUP TEXT` of its input to that group. Prints `sent`
// when it was written, and `unsent` without a connection or when it broke. Reconnects as workers
// do. Ends with its input.
require __DIR__ . '/../../php/scripts/hub.php';

const POLL_SECONDS = 0.002;

$hub = new Hub((int) $argv[1]);
$hub->connect();
stream_set_blocking(STDIN, false);
while (!feof(STDIN)) {
    $hub->poll(POLL_SECONDS);
    $line = fgets(STDIN);
    if ($line === false) continue;
    [$group, $text] = explode(' ', rtrim($line, "\n"), 2);
    say($hub->sendToGroup($group, $text) ? 'sent' : 'unsent');
}
