/** Subprotocol that selects envelopes. Without one the gateway speaks the plain protocol. */
export const CLIENT_SUBPROTOCOL_V1 = 'groupcast.v1';

/** The same with the time of each message. Offer it before the one above. */
export const CLIENT_SUBPROTOCOL_V1_AT = 'groupcast.v1.at';

/**
 * Prefix of a second subprotocol, followed by the session from an earlier `welcome`. A client that
 * offers it keeps its client id. The server never selects it, so a session is never echoed.
 */
export const CLIENT_SESSION_PREFIX = 'groupcast.session.';

/**
 * Prefix of a further subprotocol, followed by a token. It needs `groupcast.v1` or
 * `groupcast.v1.at` beside it, and is never selected either.
 */
export const CLIENT_TOKEN_PREFIX = 'groupcast.token.';
