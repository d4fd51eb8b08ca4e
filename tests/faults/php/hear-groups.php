<?php
// hear-groups.php PORT: says `heard GROUP TEXT` of each message of any group, until it is killed; `subscribed` whenever its subscriptions stand, which a
// publication of its own has shown by coming back; `connected`, `lost` and `refused` as its connections come and go.
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
