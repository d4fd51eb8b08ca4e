<?php

// Answers {"token":"…"} to a user who is logged in. The page passes it to the gateway.

declare(strict_types=1);

/** Returns a token for a user: a JWT, signed with HS256. */
function groupcastToken(string $secretFile, string $uid, array $can, int $seconds = 3600): string
{
    $secret = trim((string) file_get_contents($secretFile));
    if (strlen($secret) < 32) {
        throw new RuntimeException("$secretFile must have a secret of at least 32 bytes.");
    }
    $encode = fn (string $bytes): string => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    $now = time();
    $claims = ['sub' => $uid, 'iat' => $now, 'exp' => $now + $seconds, 'jti' => bin2hex(random_bytes(16))];
    $claims['groupcast'] = ['can' => (object) $can];
    $signed = $encode('{"alg":"HS256","typ":"JWT"}') . '.' . $encode(json_encode($claims, JSON_THROW_ON_ERROR));
    return $signed . '.' . $encode(hash_hmac('sha256', $signed, $secret, true));
}

session_start(['read_and_close' => true]);
header('Content-Type: application/json');
header('Cache-Control: no-store');
if (!isset($_SESSION['user_id'])) {
    http_response_code(401);
    exit('{"error":"Log in first."}');
}
$can = ['chat:*' => ['join', 'history', 'publish'], 'user:{uid}' => ['join', 'history']];
$token = groupcastToken('/etc/groupcast/token-secret', (string) $_SESSION['user_id'], $can);
echo json_encode(['token' => $token]);
