<?php
// publish-in-turn.php PORT EVENT COUNT: sends 0, 1, 2 … to one subscriber after another, then exits
// at once.
require __DIR__ . '/hub.php';

[, $port, $event, $count] = $argv;
$hub = new Hub((int) $port);
$hub->connect() || fail('The hub cannot be reached.');
for ($index = 0; $index < (int) $count; $index++) $hub->publishLoop($event, $index) || fail('The hub is gone.');
$hub->close();
