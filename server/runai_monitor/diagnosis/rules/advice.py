"""Advice with the numbers that were seen, in Run:ai's own terms."""

from __future__ import annotations

import re

from runai_monitor.diagnosis.wording import one_half_more, times, token

_COLLECTIVE = re.compile(
    r"SeqNum=(?P<number>\d{1,12}), OpType=(?P<kind>\w{1,40})[^\n]{0,200}?Timeout\(ms\)=(?P<milliseconds>\d{1,12})"
)
_TRIED = re.compile(r"(?i:tr(?:ied|ying) to allocate) (?P<tried>[\d.]+ (?:[KMGT]?i?B|bytes)\b)")
_CAPACITY = re.compile(
    r"total capacity of (?P<capacity>[\d.]+ [KMGT]?i?B)(?: of which (?P<free>[\d.]+ [KMGT]?i?B) is free)?"
)
_FRAGMENTED = re.compile(r"(?P<reserved>[\d.]+) GiB is reserved by PyTorch but unallocated")
_MUCH_RESERVED_GIB = 2.0


def memory_advice(limit: str | None, restarts: int) -> str:
    """What to do about a container that was killed at its memory limit."""
    more = one_half_more(limit)
    if limit is None or more is None:
        return (
            "raise the memory limit (Run:ai: compute.cpuMemoryLimit), or reduce batch size, num_workers or prefetching"
        )
    seen = f", {times(restarts, 'restart')}" if restarts else ""
    return (
        f"raise the memory limit {token(limit)} → {more} (Run:ai: compute.cpuMemoryLimit), or lower num_workers or "
        f"prefetching: OOMKilled at {token(limit)}{seen}"
    )


def collective_advice(said: str) -> tuple[str, ...]:
    """Which rank to look for, by the collective that the watchdog of PyTorch's NCCL backend names; nothing without one."""
    match = _COLLECTIVE.search(said)
    if match is None:
        return ()
    waited = f"{int(match['milliseconds']) / 1000:g} s"
    return (f"look for the rank that never reached collective {match['number']} ({match['kind'].strip('_')}): the others gave up after {waited}; its log lacks that line or has a lower SeqNum",)  # fmt: skip


def gpu_memory_numbers(said: str) -> str:
    """How much was tried, and how much there was; empty when the framework did not say."""
    tried, capacity = _TRIED.search(said), _CAPACITY.search(said)
    if tried is None:
        return ""
    if capacity is None:
        return f"tried to allocate {tried['tried']}"
    free = f", {capacity['free']} free" if capacity["free"] else ""
    return f"tried to allocate {tried['tried']}; {capacity['capacity']} capacity{free}"


def gpu_memory_advice(said: str) -> str | None:
    """What the framework's own numbers suggest about GPU memory, None when it gave none."""
    numbers, reserved = gpu_memory_numbers(said), _FRAGMENTED.search(said)
    if not numbers:
        return None
    text = f"reduce the batch size or the sequence length, or shard over more GPUs: {numbers}"
    if reserved is not None and float(reserved["reserved"]) >= _MUCH_RESERVED_GIB:
        text += f"; {reserved['reserved']} GiB lie fragmented: set PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True"
    return text
