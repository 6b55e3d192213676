/* A wallet with a new key that signs texts as browsers' wallets do (EIP-191 personal_sign). */
import { addr, eip191Signer } from 'micro-eth-signer';

export function newWallet() {
  const { privateKey, address } = addr.random();
  return { address, sign: (message) => eip191Signer.sign(message, privateKey) };
}
