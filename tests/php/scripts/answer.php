<?php
// answer.php PORT GROUP: a worker that answers each message of the group that asks for it. Prints
// `subscribed` and the messages.
require __DIR__ . '/hub.php';

[, $port, $group] = $argv;
$hub = new Hub((int) $port);
$hub->connect();
$hub->on('send_to_group', function (array $data) use ($hub, $group): void {
    say('event send_to_group ' . bin2hex(serialize($data)));
    if (str_starts_with($data['message'], 'ask ')) $hub->sendToGroup($group, 'answer to ' . $data['message']);
});
$hub->on('probe', fn() => say('subscribed'));
$hub->publish('probe', 'here');
while (true) $hub->poll(60);
