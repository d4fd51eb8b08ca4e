/** A client as the program around a gateway sees it. */
export interface GatewayClient {
  readonly id: string;
  /** Id of the user, from the token. Undefined without a token. */
  readonly uid: string | undefined;
  /** Name of the client protocol. */
  readonly protocol: string;
  /** Address of the client, as a trusted proxy named it; otherwise that of the peer. */
  readonly address: string;
}

/**
 * Returns the groups that the server joins for a client, whatever its token allows. The client gets
 * what it missed there, too.
 */
export type GroupsOnConnect = (client: GatewayClient) => readonly string[];
