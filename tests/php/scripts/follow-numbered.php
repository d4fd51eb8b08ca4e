<?php
// follow-numbered.php PORT EVENT: says `got NUMBER MD5` of each value of publish-numbered.php, until it is killed; `subscribed TIME` whenever its subscriptions
// stand, which a publication of its own has shown by coming back; and `lost` and `refused` as it connects again.
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
