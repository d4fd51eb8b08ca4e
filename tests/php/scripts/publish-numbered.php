<?php
// publish-numbered.php PORT EVENT SEED PAUSE_MS: publishes random values with their numbers and
// with pauses, and reconnects as workers do. Prints `published NUMBER MD5 TIME` before each is
// written, and `connected`, `lost` and `refused`.
require __DIR__ . '/hub.php';
require __DIR__ . '/random-value.php';

[, $port, $event, $seed, $pauseMs] = $argv;
mt_srand((int) $seed);
$hub = new Hub((int) $port, fn(string $change) => say($change));
for ($number = 0; true; ) {
    $hub->poll((int) $pauseMs / 1000);
    if (!$hub->isConnected()) continue;
    $data = ['number' => $number, 'value' => randomValue()];
    say("published $number " . md5(serialize($data)) . ' ' . monotonicMicroseconds());
    $hub->publish($event, $data);
    $number++;
}
