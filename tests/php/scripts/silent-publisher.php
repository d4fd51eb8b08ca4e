<?php
// silent-publisher.php PORT EVENT CONTROL_PORT: a plain PHP program that only publishes: each line
// that it reads from the control port. It never pings, never reads from the hub, and never
// reconnects.
require __DIR__ . '/hub.php';

[, $port, $event, $controlPort] = $argv;
$hub = new Hub((int) $port);
$hub->connect() || fail('The hub cannot be reached.');
$control = stream_socket_client("tcp://127.0.0.1:$controlPort");
while (true) {
    $readable = [$control];
    $none = null;
    stream_select($readable, $none, $none, 600);
    $line = fgets($control);
    if ($line === false) exit(0);
    $hub->publish($event, trim($line)) || fail('The hub is gone.');
}
