<?php
// publish-random.php PORT EVENT SEED COUNT: publishes COUNT random values, and prints the md5 of
// each.
require __DIR__ . '/hub.php';
require __DIR__ . '/random-value.php';

[, $port, $event, $seed, $count] = $argv;
mt_srand((int) $seed);
$hub = new Hub((int) $port);
$hub->connect() || fail('The hub cannot be reached.');
for ($left = (int) $count; $left > 0; $left--) {
    $value = randomValue();
    $hub->publish($event, $value) || fail('The hub is gone.');
    say(md5(serialize($value)));
}
$hub->close();
