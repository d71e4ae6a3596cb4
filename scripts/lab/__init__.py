"""The lab: two hosts on one machine, and what can be done to the wire between them with a counter
beside it. docs/lab.md says what it is for; scripts/lab/lab opens it by hand.

hosts     two network namespaces joined by a cable (veth), programs in them, offloads, own losses
drops     nft rules that drop and count
shaping   TBF and HTB, and the kernel's figures of them
delays    a wire that takes its time
captures  tcpdump with nanoseconds, none dropped
starving  a time namespace, a share of a CPU
"""
