<?php

// php publish.php GROUP MESSAGE [ADDRESS]

declare(strict_types=1);

require __DIR__ . '/GroupPublisher.php';

if ($argc < 3) {
    fwrite(STDERR, "usage: php publish.php GROUP MESSAGE [ADDRESS]\n");
    exit(2);
}
[, $group, $message] = $argv;
try {
    $publisher = new GroupPublisher($argv[3] ?? 'tcp://127.0.0.1:2206');
    $publisher->send($group, $message);
    $publisher->confirm();
} catch (RuntimeException $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    exit(1);
}
