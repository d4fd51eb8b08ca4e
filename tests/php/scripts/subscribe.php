<?php
// subscribe.php PORT FORM EVENT…: prints `event NAME DATA` for each event, with the serialized data
// in hex or as md5 (the FORM), until it is killed. Prints `subscribed` when its subscriptions are
// active, which the return of its own publication shows, and `lost` and `refused` as it reconnects.
require __DIR__ . '/hub.php';

[, $port, $form] = $argv;
$probe = 'probe ' . getmypid();

$hub = new Hub((int) $port, function (string $change) use (&$hub, $probe): void {
    if ($change === 'connected') $hub->publish($probe, 'here');
    else say($change);
});
$hub->connect();
foreach (array_slice($argv, 3) as $event) {
    $hub->on($event, function (mixed $data, int|string $channel) use ($form): void {
        $bytes = serialize($data);
        say("event $channel " . ($form === 'hex' ? bin2hex($bytes) : md5($bytes)));
    });
}
$hub->on($probe, fn() => say('subscribed'));
$hub->publish($probe, 'here');
while (true) $hub->poll(60);
