// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A dollar as USDC is one on Base, as far as HumanOps can tell: ERC-20, six decimals, and its issuer can stop all transfers.
/// Anybody may mint and stop it.  The genesis block has it at the real USDC's address; at another address it is a look-alike.
contract TestUsd is ERC20("USD Coin", "USDC") {
    bool public paused;

    error Paused();

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function setPaused(bool isPaused) external {
        paused = isPaused;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (paused && from != address(0)) revert Paused();
        super._update(from, to, value);
    }
}
