// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a Chainlink feed looks like to its readers; anybody may set the price.
contract PriceFeed {
    int256 public price;
    uint256 public updatedAt;
    uint8 public decimals;

    function set(int256 newPrice, uint8 newDecimals, uint256 time) external {
        (price, decimals, updatedAt) = (newPrice, newDecimals, time);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (1, price, updatedAt, updatedAt, 1);
    }
}

/// Base's predeploy that tells the data fee of a transaction; anybody may set it, wei.
contract GasPriceOracle {
    uint256 public fee;

    function set(uint256 newFee) external {
        fee = newFee;
    }

    function getL1FeeUpperBound(uint256) external view returns (uint256) {
        return fee;
    }

    function getL1Fee(bytes memory) external view returns (uint256) {
        return fee;
    }
}
