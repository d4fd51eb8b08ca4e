<?php
// consume.php PORT QUEUE: processes one item after another, and prints `done ITEM` for each, until
// it is killed. Prints `watching` when the hub knows.
require __DIR__ . '/hub.php';

[, $port, $queue] = $argv;
$hub = new Hub((int) $port, function (string $change): void {
    if ($change === 'lost') fail('The hub is gone.');
});
$hub->connect() || fail('The hub cannot be reached.');
$hub->on('probe ' . getmypid(), fn() => say('watching'));
$hub->watch($queue, fn(mixed $item) => say("done $item"));
$hub->publish('probe ' . getmypid(), 'here');
while (true) $hub->poll(60);
