<?php
// publish-to-many.php PORT COUNT DATA: publishes to COUNT events in one request, and exits at once.
require __DIR__ . '/hub.php';

[, $port, $count, $data] = $argv;
$hub = new Hub((int) $port);
$hub->connect();
$hub->publishToAll(array_map(fn(int $index) => "user:$index", range(0, (int) $count - 1)), $data);
$hub->close();
