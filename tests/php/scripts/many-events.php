<?php
// many-events.php PORT COUNT HEX…: a worker that subscribes to COUNT events, and to others whose
// names, in hex, may be invalid. Prints `event NAME DATA` for each event, `subscribed` when its
// subscriptions are active, and `lost` and `refused` as it reconnects. It then subscribes to all in
// one request, as workers do.
require __DIR__ . '/hub.php';

[, $port, $count] = $argv;
$probe = 'probe ' . getmypid();

$hub = new Hub((int) $port, function (string $change) use (&$hub, $probe): void {
    if ($change === 'connected') $hub->publish($probe, 'here');
    else say($change);
});
$told = fn(mixed $data, int|string $channel) => say("event $channel " . bin2hex(serialize($data)));
foreach (array_slice($argv, 3) as $hex) $hub->on(hex2bin($hex), $told);
for ($index = 0; $index < (int) $count; $index++) $hub->on("user:$index", $told);
$hub->on($probe, fn() => say('subscribed'));
$hub->connect();
while (true) $hub->poll(60);
