/* A wallet with a new key that signs texts as browsers' wallets do (EIP-191 personal_sign); without WebCrypto, which Node 18 hides. */
import { randomBytes } from 'node:crypto';
import { addr, eip191Signer } from 'micro-eth-signer';

export function newWallet() {
  const key = `0x${randomBytes(32).toString('hex')}`;
  return { address: addr.fromPrivateKey(key), sign: (message) => eip191Signer.sign(message, key, false) };
}
