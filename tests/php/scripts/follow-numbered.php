<?php
// follow-numbered.php PORT EVENT: prints `got NUMBER MD5` for each value of publish-numbered.php,
// until it is killed. Prints `subscribed TIME` when its subscriptions are active, which the return
// of its own publication shows, and `lost` and `refused` as it reconnects.
require __DIR__ . '/hub.php';

[, $port, $event] = $argv;
$probe = 'probe ' . getmypid();
$hub = new Hub((int) $port, function (string $change) use (&$hub, $probe): void {
    if ($change === 'connected') $hub->publish($probe, 'here');
    else say($change);
});
$hub->connect();
$hub->on($event, fn(array $data) => say("got {$data['number']} " . md5(serialize($data))));
$hub->on($probe, fn() => say('subscribed ' . monotonicMicroseconds()));
$hub->publish($probe, 'here');
while (true) $hub->poll(60);
