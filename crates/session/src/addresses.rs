//! Flows in, small numbers for their addresses out: who compares, groups or counts hosts does so by these.

use std::net::IpAddr;

use flow::{Flow, Many};

/// Every address at an end of a flow, numbered from 0 in order.
#[derive(Debug, Default)]
pub struct Addresses {
    /// Those of IPv4, which come before all others.
    v4: Vec<u32>,
    v6: Vec<u128>,
    ends: Vec<[u32; 2]>,
}

impl Addresses {
    /// Those of these flows.
    pub fn new(flows: &Many<Flow>) -> Self {
        let mut addresses = Self { ends: vec![[0; 2]; flows.len()], ..Self::default() };
        addresses.number_v4(flows);
        addresses.number_v6(flows);
        addresses
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there is none, and so no flow.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The numbers of each flow's client and server.
    pub fn ends(&self) -> &[[u32; 2]] {
        &self.ends
    }

    /// The number of an address.
    pub fn find(&self, ip: IpAddr) -> Option<u32> {
        let place = match ip {
            IpAddr::V4(ip) => self.v4.binary_search(&ip.into()).ok(),
            IpAddr::V6(ip) => {
                self.v6.binary_search(&ip.into()).ok().map(|place| self.v4.len() + place)
            }
        };
        place.map(|it| it as u32)
    }

    /// The /24 of an IPv4 address, the /48 of an IPv6 address.
    pub(crate) fn network(&self, number: u32) -> u64 {
        let at = number as usize;
        match self.v4.get(at) {
            Some(ip) => u64::from(ip >> 8),
            None => {
                let ip = self.v6.get(at - self.v4.len()).copied().unwrap_or_default();
                (ip >> 80) as u64 | 1 << 48
            }
        }
    }

    /// Each address goes through the sort together with the end that it is at.
    fn number_v4(&mut self, flows: &Many<Flow>) {
        let mut order: Vec<u64> = Vec::with_capacity(2 * flows.len());
        for (flow, end) in flows.iter().zip((0_u64..).step_by(2)) {
            for (ip, end) in [(flow.client.ip, end), (flow.server.ip, end + 1)] {
                if let IpAddr::V4(ip) = ip {
                    order.push(u64::from(u32::from(ip)) << 32 | end);
                }
            }
        }
        order.sort_unstable();
        for of_one in order.chunk_by(|a, b| a >> 32 == b >> 32) {
            let number = self.v4.len() as u32;
            for end in of_one {
                let (flow, side) = ((*end as u32 >> 1) as usize, (*end & 1) as usize);
                if let Some(slot) = self.ends.get_mut(flow).and_then(|it| it.get_mut(side)) {
                    *slot = number;
                }
            }
            self.v4.extend(of_one.first().map(|it| (it >> 32) as u32));
        }
        self.v4.shrink_to_fit();
    }

    /// Addresses of 16 bytes would make that take too much memory: the ends look their numbers up.
    fn number_v6(&mut self, flows: &Many<Flow>) {
        let v6 = |ip: IpAddr| match ip {
            IpAddr::V4(_) => None,
            IpAddr::V6(ip) => Some(u128::from(ip)),
        };
        let ends = |flow: &Flow| [flow.client.ip, flow.server.ip].map(v6);
        self.v6.extend(flows.iter().flat_map(ends).flatten());
        self.v6.sort_unstable();
        self.v6.dedup();
        self.v6.shrink_to_fit();
        if self.v6.is_empty() {
            return;
        }
        for (flow, numbers) in flows.iter().zip(&mut self.ends) {
            for (ip, number) in ends(flow).into_iter().zip(numbers) {
                if let Some(ip) = ip {
                    let place = self.v6.partition_point(|it| *it < ip);
                    *number = (self.v4.len() + place) as u32;
                }
            }
        }
    }
}
