import { type OptionsOf, textOption } from '@groupcast/options';
import { type BanTarget, banKey, ProtocolError } from '@groupcast/protocol';
import { ConfigError } from '@groupcast/service';

/** Flags that name the target of a ban. */
export const TARGET_FLAGS = {
  uid: textOption({ default: '', valueName: 'UID', describe: 'User.' }),
  group: textOption({
    default: '',
    valueName: 'GROUP',
    describe: 'Group: with --uid, the user in it alone.',
  }),
  address: textOption({
    default: '',
    valueName: 'CIDR',
    describe: 'Address or network of clients, such as 203.0.113.7 or 2001:db8::/32.',
  }),
  tokenId: textOption({ default: '', valueName: 'ID', describe: 'Token, by its claim jti.' }),
};

type TargetFlags = OptionsOf<typeof TARGET_FLAGS>;

/** Returns the target that the flags name. Throws ConfigError unless they name a valid one. */
export function targetOf({ uid, group, address, tokenId }: TargetFlags): BanTarget {
  const given = { uid, group, address, tokenId };
  const target = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
  try {
    // Checks its form as well.
    banKey(target as BanTarget);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    const rule = 'Give --uid, --address or --token-id, or --group and --uid.';
    throw new ConfigError([Object.keys(target).length === 0 ? rule : `${cause.message} ${rule}`]);
  }
  return target as BanTarget;
}

/** Returns a target for people. */
export function targetText(target: BanTarget): string {
  if ('address' in target) return `address ${target.address}`;
  if ('tokenId' in target) return `token ${target.tokenId}`;
  return target.group === undefined ? `user ${target.uid}` : `user ${target.uid} in group ${target.group}`;
}
