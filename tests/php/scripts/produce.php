<?php
// produce.php PORT QUEUE PREFIX COUNT: enqueues `PREFIX 0`, `PREFIX 1` …, and exits.
require __DIR__ . '/hub.php';

[, $port, $queue, $prefix, $count] = $argv;
$hub = new Hub((int) $port);
$hub->connect() || fail('The hub cannot be reached.');
for ($index = 0; $index < (int) $count; $index++) $hub->enqueue($queue, "$prefix $index") || fail('The hub is gone.');
$hub->close();
