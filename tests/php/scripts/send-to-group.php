<?php
// send-to-group.php PORT GROUP MESSAGE…: connects, writes, and exits at once. A GROUP `int:7` is
// the integer.
require __DIR__ . '/hub.php';

$hub = new Hub((int) $argv[1]);
$hub->connect() || fail('The hub cannot be reached.');
$group = str_starts_with($argv[2], 'int:') ? (int) substr($argv[2], 4) : $argv[2];
foreach (array_slice($argv, 3) as $message) $hub->sendToGroup($group, $message);
$hub->close();
