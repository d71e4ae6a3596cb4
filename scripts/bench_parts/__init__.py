"""The parts of scripts/bench.

  verdicts    medians, spread, bootstrap interval, the rule of met and UNMET: pure
  processes   starting programs bounded in time, and ending them for certain
  sides       what is run: volley, the floor, the null loop
  peers       programs of others, each a function that gives a rate
  model       case, side, way, bound: plain values
  cases       the table of rate cases
  special     the cases that are no plain rates: pacing, response time, memory, start-up
  capture     request-to-answer times out of a packet capture
  rounds      playing a case: choosing the best ways, interleaved rounds, judging
  output      machine facts, tables, JSON
"""
