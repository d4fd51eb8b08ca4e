<?php
// subscribe.php PORT FORM EVENT…: says what comes, as `event NAME DATA`, with the serialized data in hex or as md5 (the FORM), until it is killed.
// It says `subscribed` whenever its subscriptions stand, which a publication of its own has shown by coming back, and `lost` and `refused` as it reconnects.
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
