<?php
// send-to-group.php PORT GROUP MESSAGE…: connects, writes, and leaves at once.
require __DIR__ . '/hub.php';

$hub = new Hub((int) $argv[1]);
$hub->connect() || fail('The hub cannot be reached.');
foreach (array_slice($argv, 3) as $message) $hub->sendToGroup($argv[2], $message);
$hub->close();
