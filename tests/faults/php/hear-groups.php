<?php
// hear-groups.php PORT: prints `heard GROUP TEXT` for each message of any group, until it is
// killed. Prints `subscribed` when its subscriptions are active, which the return of its own
// publication shows, and `connected`, `lost` and `refused` with its connections.
require __DIR__ . '/../../php/scripts/hub.php';

$probe = 'probe ' . getmypid();
$hub = new Hub((int) $argv[1], function (string $change) use (&$hub, $probe): void {
    say($change);
    if ($change === 'connected') $hub->publish($probe, 'here');
});
$hub->connect();
$hub->on('send_to_group', fn(array $data) => say("heard {$data['group_id']} {$data['message']}"));
$hub->on($probe, fn() => say('subscribed'));
$hub->publish($probe, 'here');
while (true) $hub->poll(60);
