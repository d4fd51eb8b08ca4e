<?php
// consume.php PORT QUEUE: works on one item after the other, and says `done ITEM` of each, until it is killed. Says `watching` when the hub knows.
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
