<?php
// tour.php PROXY_PORT PORT: a worker behind the proxy uses all functions of a worker, beside
// another one that disturbs it. Each step ends with an event that shows that the hub has done it.
// At the end it prints `toured`, keeps publishing, and exits cleanly when the hub has ended.
require __DIR__ . '/hub.php';

$isLost = false;
// Counts of the events. An object, because arrow functions copy other values.
$seen = new ArrayObject();
$worker = new Hub((int) $argv[1], function (string $change) use (&$isLost): void {
    if ($change === 'lost') $isLost = true;
});
$other = new Hub((int) $argv[2]);
$worker->connect() && $other->connect() || fail('The hub cannot be reached.');
$count = function (mixed $data, int|string $channel) use ($seen): void {
    $seen[$channel] = ($seen[$channel] ?? 0) + 1;
};

function until(Hub $hub, Closure $holds): void
{
    while (!$holds()) $hub->poll(60);
}

/** Returns when the hub has processed all requests of the peer. */
function settle(Hub $peer): void
{
    global $worker, $seen;
    $before = $seen['settled'] ?? 0;
    $peer->publish('settled', 'yes');
    until($worker, fn() => ($seen['settled'] ?? 0) > $before);
}

// Events, also of names that PHP turns into integers.
foreach (['settled', 'a', 'b', '123'] as $event) $worker->on($event, $count);
settle($worker);
foreach (['a', 'b', 'unheard', '123'] as $event) {
    for ($left = 100; $left > 0; $left--) $other->publish($event, ['n' => $left, 'f' => 1.0]);
}
until($worker, fn() => ($seen['123'] ?? 0) === 100);

// One that it unsubscribes from.
$worker->off('b');
settle($worker);
for ($left = 100; $left > 0; $left--) $other->publish('b', $left);
settle($other);
$seen['b'] === 100 || fail('Something came after the unsubscribe.');

// Pings, round-robin events, and groups.
for ($left = 3; $left > 0; $left--) $worker->ping();
for ($left = 10; $left > 0; $left--) $other->publishLoop('a', $left);
$worker->on('send_to_group', $count);
settle($worker);
for ($left = 10; $left > 0; $left--) $other->sendToGroup('123', "message $left");
settle($other);
$worker->off('send_to_group');
settle($worker);
$other->sendToGroup('123', 'unheard');
settle($other);

// Queues; a rejected item gets no answer either.
$worker->watch('jobs', $count);
for ($left = 20; $left > 0; $left--) $other->enqueue('jobs', $left);
until($worker, fn() => ($seen['jobs'] ?? 0) === 20);
$worker->unwatch('jobs');
settle($worker);
for ($left = 5; $left > 0; $left--) $other->enqueue('jobs', $left);
settle($other);
$seen['jobs'] === 20 || fail('An item came after the unwatch.');
$worker->watch('jobs', $count);
until($worker, fn() => $seen['jobs'] === 25);
$worker->enqueue('$dead:jobs', 'no name for a producer');
settle($worker);

say('toured');
while (!$isLost) {
    $worker->publish('a', 'on and on');
    $worker->poll(0.01);
}
