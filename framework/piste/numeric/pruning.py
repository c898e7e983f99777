"""The pruning path of a fitted decision tree: which node stands for each row at every complexity price."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Pruning:
    """Every tree that minimal cost-complexity pruning makes of one, told from its nodes.

    A tree costs its impurity plus `alpha` a leaf. As alpha grows, a node turns into a leaf when its branch is no longer worth its
    leaves, and stands for its rows until one of its ancestors does. So the path of a row from its leaf to the root is cut into
    intervals of alpha, and predictions at any number of prices come from one descent.

    Source: Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984, chapter 3.
    """

    parent: np.ndarray  # (n_nodes,) -1 for the root
    becomes_leaf: np.ndarray  # (n_nodes,) alpha from which a node is a leaf: -inf for a leaf, inf where an ancestor goes first
    until: np.ndarray  # (n_nodes,) alpha from which an ancestor stands for it

    @staticmethod
    def of(tree: Any) -> Pruning:
        """Find the path of a fitted scikit-learn tree (`estimator.tree_`), grown without pruning.

        The sums are made in scikit-learn's order, so that the trees are those of its `ccp_alpha` to the last bit, even at a price
        at which a node is just about to turn. That takes a sort of the nodes and a step for each pair of a node that turns and an
        ancestor: n_nodes x depth at most, as growing the tree took for every row.
        """
        left, right = tree.children_left, tree.children_right
        risk = tree.weighted_n_node_samples * tree.impurity / tree.weighted_n_node_samples[0]
        parent = np.full(len(left), -1)
        inner = np.flatnonzero(left >= 0)
        parent[left[inner]] = parent[right[inner]] = inner
        becomes_leaf = np.full(len(left), -np.inf)
        becomes_leaf[inner] = np.inf
        for node, alpha in _weakest_links(left, right, parent, risk):
            becomes_leaf[node] = alpha
        until = np.full(len(left), np.inf)
        level = inner[parent[inner] < 0]
        while len(level):
            ceiling = np.minimum(until[level], becomes_leaf[level])
            until[left[level]] = until[right[level]] = ceiling
            level = np.concatenate([left[level], right[level]])
            level = level[left[level] >= 0]
        return Pruning(parent, becomes_leaf, until)

    def leaves(self, alpha: float) -> np.ndarray:
        """Return which nodes are the leaves of the tree pruned at a price, (n_nodes,) of bool."""
        return (self.becomes_leaf <= alpha) & (alpha < self.until)

    def standing(self, leaf: np.ndarray, alphas: np.ndarray) -> np.ndarray:
        """Return the node that stands for each row at each price.

        Args:
            leaf: (n_samples,) leaf of the full tree that each row falls into.
            alphas: (n_alphas,) prices, in any order.

        Returns:
            (n_alphas, n_samples) numbers of nodes.
        """
        met, row = np.unique(leaf, return_inverse=True)
        found = np.empty((len(alphas), len(met)), dtype=np.intp)
        now = met
        for place in np.argsort(alphas, kind="stable"):  # towards the root, never back
            now = now.copy()
            rising = np.flatnonzero(self.until[now] <= alphas[place])
            while len(rising):
                now[rising] = self.parent[now[rising]]
                rising = rising[self.until[now[rising]] <= alphas[place]]
            found[place] = now
        return found[:, row]


def _weakest_links(left: np.ndarray, right: np.ndarray, parent: np.ndarray, risk: np.ndarray) -> list[tuple[int, float]]:
    """Return the inner nodes that turn into leaves, in order, each with the alpha from which it has turned.

    A node's own price only rises when a cheaper branch below it goes, so one that is kept on the heap may be out of date but is
    never too high (but for rounding), and is looked at again when its turn comes.
    """
    inner = np.flatnonzero(left >= 0)
    leaf, above = _ancestors(np.flatnonzero(left < 0), parent)
    branch = np.bincount(above, weights=risk[leaf], minlength=len(left))  # one leaf after the other: bincount adds in order
    count = np.bincount(above, minlength=len(left))
    price = (risk[inner] - branch[inner]) / (count[inner] - 1)
    heap = list(zip(price.tolist(), inner.tolist(), strict=True))
    heapq.heapify(heap)
    lefts, rights, parents, risks, branches, counts = (each.tolist() for each in (left, right, parent, risk, branch, count))
    gone = (left < 0).tolist()
    turned = []
    highest = -np.inf
    while heap:
        seen, node = heapq.heappop(heap)
        if gone[node]:
            continue
        alpha = (risks[node] - branches[node]) / (counts[node] - 1)
        if alpha > seen:
            heapq.heappush(heap, (alpha, node))
            continue
        highest = max(highest, alpha)  # rounding may put one that follows a trifle lower: it does not go before
        turned.append((node, float(highest)))
        below = [node]
        while below:
            each = below.pop()
            if not gone[each]:
                gone[each] = True
                below += (lefts[each], rights[each])
        fewer, more = counts[node] - 1, risks[node] - branches[node]
        up = parents[node]
        while up >= 0:
            counts[up] -= fewer
            branches[up] += more
            up = parents[up]
    return turned


def _ancestors(leaves: np.ndarray, parent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every pair of a leaf and an ancestor, the leaves in order."""
    below, above = [leaves[:0]], [leaves[:0]]
    leaf, now = leaves, parent[leaves]
    while len(leaf := leaf[now >= 0]):
        now = now[now >= 0]
        below.append(leaf)
        above.append(now)
        now = parent[now]
    leaf, now = np.concatenate(below), np.concatenate(above)
    order = np.argsort(leaf, kind="stable")
    return leaf[order], now[order]
