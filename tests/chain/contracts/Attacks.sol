// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Writes the token's event without being the token.
contract Forger {
    event Transfer(address indexed from, address indexed to, uint256 value);

    function forge(address from, address to, uint256 value) external {
        emit Transfer(from, to, value);
    }
}

/// Makes several calls in one transaction.
contract Router {
    struct Call {
        address to;
        bytes data;
    }

    error Undone();

    /// All succeed or none.
    function all(Call[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; i++) {
            (bool ok, bytes memory why) = calls[i].to.call(calls[i].data);
            if (!ok) {
                assembly {
                    revert(add(why, 32), mload(why))
                }
            }
        }
    }

    /// They succeed, then all of it is undone, and the transaction succeeds nevertheless.
    function undone(Call[] calldata calls) external {
        try this.undo(calls) {
            revert();
        } catch {}
    }

    function undo(Call[] calldata calls) external {
        this.all(calls);
        revert Undone();
    }
}
