/* failover.pml -- election + persisted votes + replicated journal of the broker group
 *
 * "The bully order decides who stands, a majority decides who holds office."
 *
 * SCOPE     3 brokers, epochs 1..MAXE, journal slots 1..MAXL, at most MAXC crash-restarts.
 * NETWORK   a notice board: each message, once sent, stays there and may be read by its
 *           addressee never (loss), once, often (duplication), in any order and arbitrarily
 *           late (delay, reordering; every partition, also one-way and partial ones).
 * DISK      each broker has a memory image and a disk image (journal, epoch, vote). flush
 *           copies memory to disk, crash throws memory away. Entries can be taken in one at
 *           a time with a flush between, so every torn prefix of a batch is covered; tear is a
 *           crash in mid-flush after a conflicting tail was cut and before its successor came.
 * ELECTION  ELECTION/OK, ranks, timers, pre-vote, handover only *restrict* who stands when;
 *           the model lets anyone stand any time, so its result holds for every such policy.
 *
 * MUTANTS, -D...  (each must be refuted by Spin)
 *   PLAIN_BULLY   who hears no OK takes office, no votes, epoch = highest seen + 1
 *   UNIQUE_EPOCH  (with PLAIN_BULLY) as if an oracle gave every office a fresh epoch
 *   NO_MAJORITY   votes are asked for, but "everyone I can reach" is enough
 *   TWO_VOTES     votes for more than one candidate an epoch
 *   FORGET_VOTE   votes are not on disk           NO_RANK     votes ignore the journals
 *   OLD_COMMIT    commits entries of old epochs by counting copies
 *   ACK_EARLY     follower acks before its disk has the entry
 *   LEAD_EARLY    leader counts its own copy before its disk has it
 *   NO_CANDIDACY  (with EARLY_ASK) votes for the candidacy of an earlier life in this epoch count
 * EXTENSIONS
 *   EARLY_ASK     as built: VOTE_REQ leaves while the candidate's own vote is being written, and the own
 *                 vote counts once it is on disk. A candidate that dies before that comes back in the epoch
 *                 before and may stand in the same one again, with a shorter journal; a random number in
 *                 request and vote keeps the two candidacies apart
 *   DAMAGE        once, a disk loses flushed entries (bit rot, truncation, lying cache); the
 *                 broker notices by checksum and goes into REPAIR: no vote, no candidacy, no
 *                 counted ack until a sitting leader has refilled it.  Its mutants:
 *                 NO_REPAIR (cut the tail, carry on), STALE_REPAIR (goal from any old message)
 *   CLAIM         (with DAMAGE) instead of REPAIR: the identifiers (epoch, index) of the lost
 *                 entries survive in a second place; the broker keeps voting by that claim,
 *                 acks what it really has, and does not stand below its claim
 *   DROP          (with CLAIM) as built: a lost entry that every other broker has said is not in its journal,
 *                 and, asked after that, has said so again, was never at a majority: the claim on it is given
 *                 up. Its mutants: DROP_ONE (one broker's word is enough), DROP_AT_ONCE (each is asked once)
 *   HELD_ACK      as built: what the disk holds already is acknowledged without a sync, in an epoch that only
 *                 memory knows
 *   ADOPT         before standing, a broker may copy the whole journal of a better-ranked
 *                 peer (hub catch-up).  Its mutant: ADOPT_ANY (also a worse-ranked one's)
 */
#ifndef MAXE
#define MAXE 3
#endif
#ifndef MAXL
#define MAXL 2
#endif
#ifndef MAXC
#define MAXC 1
#endif
#define N 3
#define F 0                     /* follower, candidate, leader */
#define C 1
#define L 2

typedef Broker {
  byte role, epoch, voted, last, log[MAXL];      /* memory image                           */
  byte depoch, dvoted, dlast, dlog[MAXL];        /* disk image                             */
  byte match;                   /* follower: equals the leader's journal up to here        */
#ifdef DAMAGE
  byte repair, tepoch, target;  /* 0 healthy 1 damaged 2 goal known; goal (epoch, length)  */
  byte claim;                   /* CLAIM: rank of the journal before the damage            */
#ifdef DROP
  byte lost, lostat, lack;      /* first lost entry, its place; who said that it lacks it  */
  byte again;                   /* all have said so once, and are asked again              */
#endif
#endif
}
typedef Board {                 /* all messages of one epoch                               */
  byte asked[N];                /* VOTE_REQ of c: 1 + rank of its journal                  */
  byte votes[N];                /* VOTEs for c: bit set of voters                          */
  byte leader;                  /* COORDINATOR: 1 + who took office                        */
  byte last, log[MAXL];         /* APPEND: what the leader has offered so far              */
  byte ack[N];                  /* APPEND_ACK: highest index acked by each follower        */
}
Broker b[N];
Board  m[MAXE+1];
byte done[MAXL], by[MAXL];      /* ghost: committed entry, lowest epoch that committed it  */
byte crashes;
#ifdef DAMAGE
byte damages;
#endif
#ifdef ADOPT
byte boxto, boxlast, boxlog[MAXL], boxepoch;     /* one FETCH reply in flight              */
#endif
hidden byte k, q, s, e0, ok;

#define ENTRY(e,i)   ((e)*4+(i)+1)
#define EPOCH_OF(x)  ((x)/4)
#define RANKOF(le,n) ((le)*(MAXL+1)+(n))         /* (last epoch, last index) as a number   */
#define RANK(i)      RANKOF((b[i].last==0 -> 0 : EPOCH_OF(b[i].log[b[i].last-1])), b[i].last)
#define MAJ(x)       ((x)==3 || (x)==5 || (x)==6 || (x)==7)
#define DIRTY(i)     (b[i].dlast!=b[i].last || b[i].dlog[0]!=b[i].log[0] || \
                      b[i].dlog[MAXL/2]!=b[i].log[MAXL/2] || b[i].dlog[MAXL-1]!=b[i].log[MAXL-1] || \
                      b[i].depoch!=b[i].epoch || b[i].dvoted!=KEEP(b[i].voted))
#ifdef FORGET_VOTE
#define KEEP(v)      0
#else
#define KEEP(v)      (v)
#endif
#ifdef NO_RANK
#define RANK_OK(e,c,i)  true
#else
#define RANK_OK(e,c,i)  (m[e].asked[c]-1>=RANK(i) && CLAIM_OK(i,m[e].asked[c]-1))
#endif
#ifdef NO_MAJORITY
#define ENOUGH(x)    true
#else
#define ENOUGH(x)    MAJ(x)
#endif
#ifdef OLD_COMMIT
#define OWN(i,n)     true
#else
#define OWN(i,n)     (EPOCH_OF(b[i].log[n-1])==b[i].epoch)
#endif
#ifdef DAMAGE
#define FIT(i)       (b[i].repair==0)
#define CLAIM_OK(i,r) ((r)>=b[i].claim)
#else
#define CLAIM_OK(i,r) true
#define FIT(i)       true
#endif
#ifdef ADOPT_ANY
#define BETTER(i)    (boxlast!=b[i].last || boxlog[0]!=b[i].log[0])
#else
#define BETTER(i)    (RANKOF((boxlast==0 -> 0 : EPOCH_OF(boxlog[boxlast-1])), boxlast)>RANK(i))
#endif

/* forget messages nobody can use any more (exact reductions, not part of the protocol) */
inline retire(i) {
  m[b[i].epoch].votes[i]=0;
  if :: b[i].role==L -> m[b[i].epoch].ack[0]=0; m[b[i].epoch].ack[1]=0; m[b[i].epoch].ack[2]=0
     :: else fi }
inline sweep() { e0=1;
  do :: e0<MAXE && b[0].depoch>e0 && b[1].depoch>e0 && b[2].depoch>e0 ->
        k=0; do :: k<N -> m[e0].asked[k]=0; m[e0].votes[k]=0; m[e0].ack[k]=0; k++
                :: else -> break od;
        k=0; do :: k<MAXL -> m[e0].log[k]=0; k++ :: else -> break od;
        m[e0].last=0; m[e0].leader=0; e0++
     :: else -> break od; k=0 }
#define SITS(e)      (m[e].leader!=0 && b[m[e].leader-1].role==L && b[m[e].leader-1].epoch==e)

#define ACKS(i)      (b[i].role==F && FIT(i) && b[i].match>m[b[i].epoch].ack[i] && SITS(b[i].epoch))

#ifdef HELD_ACK
#define SAME(i,k)    (b[i].match<=k || b[i].dlog[k]==b[i].log[k])
#if MAXL==1
#define HELD(i)      (b[i].match<=b[i].dlast && SAME(i,0))
#elif MAXL==2
#define HELD(i)      (b[i].match<=b[i].dlast && SAME(i,0) && SAME(i,1))
#else
#define HELD(i)      (b[i].match<=b[i].dlast && SAME(i,0) && SAME(i,1) && SAME(i,2))
#endif
#endif

inline adopt_epoch(i,e) { if :: e>b[i].epoch -> retire(i); b[i].epoch=e; b[i].voted=0; b[i].role=F;
                             b[i].match=0 :: else fi }
inline persist_meta(i)  { b[i].depoch=b[i].epoch; b[i].dvoted=KEEP(b[i].voted) }

#ifdef EARLY_ASK
inline stand(i) {               /* VOTE_REQ(epoch, rank, candidacy) to all; the own vote follows at flush */
  retire(i); b[i].epoch=b[i].epoch+1; b[i].voted=i+1; b[i].role=C; b[i].match=0;
  m[b[i].epoch].asked[i]=1+RANK(i);
#ifndef NO_CANDIDACY
  m[b[i].epoch].votes[i]=0;     /* those of an earlier life carry another number */
#endif
  sweep() }
#define OWN_VOTE(i)  ((m[b[i].epoch].votes[i] & (1<<(i)))!=0)
#else
inline stand(i) {               /* own vote on disk, then VOTE_REQ(epoch, rank) to all     */
  retire(i); b[i].epoch=b[i].epoch+1; b[i].voted=i+1; b[i].role=C; b[i].match=0;
  persist_meta(i); m[b[i].epoch].asked[i]=1+RANK(i);
  m[b[i].epoch].votes[i]=m[b[i].epoch].votes[i]|(1<<i); sweep() }
#define OWN_VOTE(i)  true
#endif

inline grant(i,e,c) {           /* vote on disk, then VOTE                                 */
  adopt_epoch(i,e); b[i].voted=c+1; persist_meta(i);
#ifdef NO_CANDIDACY
  m[e].votes[c]=m[e].votes[c]|(1<<i);   /* it may find a later life that takes it for its own */
#else
  if :: b[c].role==C && b[c].epoch==e -> m[e].votes[c]=m[e].votes[c]|(1<<i) :: else fi;
#endif
  sweep() }

inline take_office(i) {         /* COORDINATOR (the first APPEND of the epoch)             */
  e0=b[i].epoch;
  assert(m[e0].leader==0 || m[e0].leader==i+1);          /* P1: one leader per epoch       */
  retire(i); m[e0].leader=i+1; b[i].role=L; m[e0].last=b[i].last; k=0;
  do :: k<MAXL -> m[e0].log[k]=b[i].log[k];
        assert(done[k]==0 || by[k]>=e0 || b[i].log[k]==done[k]);  /* P3: leader completeness */
        k++
     :: else -> break od; k=0 }

inline client_append(i) {       /* offered to followers before the own disk has it         */
  e0=b[i].epoch; b[i].log[b[i].last]=ENTRY(e0,i); m[e0].log[b[i].last]=ENTRY(e0,i);
  b[i].last=b[i].last+1; m[e0].last=b[i].last }

inline recv_append(i,e,n) {     /* entries 1..n of leader e; the prev check is subsumed by P4 */
  adopt_epoch(i,e); b[i].role=F; k=0; ok=1;
  do :: k<n ->
        if :: k<b[i].last && b[i].log[k]!=m[e].log[k] ->
              assert(EPOCH_OF(b[i].log[k])!=EPOCH_OF(m[e].log[k]));  /* P4: log matching  */
              q=k; b[i].last=k;                                     /* cut the conflict  */
              do :: q<MAXL -> b[i].log[q]=0; q++ :: else -> break od
           :: else fi;
        if :: k==b[i].last -> b[i].log[k]=m[e].log[k]; b[i].last=k+1 :: else fi; k++
     :: else -> break od; k=0;
  if :: n>b[i].match -> b[i].match=n :: else fi;
#ifdef ACK_EARLY
  if :: ACKS(i) -> m[e].ack[i]=b[i].match :: else fi;
#endif
}

inline forget_claim(i) {
#ifdef DAMAGE
  b[i].claim=0;
#ifdef DROP
  b[i].lost=0; b[i].lostat=0; b[i].lack=0; b[i].again=0;
#endif
#endif
}

inline flush(i) {               /* fdatasync of the batch; only then APPEND_ACK            */
  persist_meta(i);
#ifdef EARLY_ASK
  if :: b[i].role==C -> m[b[i].epoch].votes[i]=m[b[i].epoch].votes[i]|(1<<i) :: else fi;
#endif
  b[i].dlast=b[i].last; k=0;
  do :: k<MAXL -> b[i].dlog[k]=b[i].log[k]; k++ :: else -> break od; k=0;
  if :: ACKS(i) -> m[b[i].epoch].ack[i]=b[i].match :: else fi;
#ifdef DAMAGE
  if :: b[i].repair==2 && b[i].epoch==b[i].tepoch && b[i].match>=b[i].target ->
        b[i].repair=0; b[i].tepoch=0; b[i].target=0 :: else fi;
  if :: RANK(i)>=b[i].claim -> forget_claim(i) :: else fi;
#endif
  sweep() }

inline count_copies(i,n) {      /* s = set of brokers that have 1..n on disk               */
  s=0; k=0;
  do :: k<N -> if :: k!=i && m[b[i].epoch].ack[k]>=n -> s=s|(1<<k) :: else fi; k++
     :: else -> break od; k=0;
  ok=1; k=0;
  do :: k<n -> if :: k>=b[i].dlast || b[i].dlog[k]!=b[i].log[k] -> ok=0 :: else fi; k++
     :: else -> break od; k=0;
#ifdef LEAD_EARLY
  ok=1;
#endif
  if :: ok==1 -> s=s|(1<<i) :: else fi }

inline commit_upto(i,n) {
  count_copies(i,n);
  if :: MAJ(s) -> k=0;
        do :: k<n -> assert(done[k]==0 || done[k]==b[i].log[k]);    /* P2: no ack is undone */
              done[k]=b[i].log[k];
              if :: by[k]==0 || b[i].epoch<by[k] -> by[k]=b[i].epoch :: else fi; k++
           :: else -> break od; k=0
     :: else fi }

inline crash(i) {
#ifdef NO_CANDIDACY
  if :: b[i].depoch==b[i].epoch -> retire(i) :: else fi;   /* else votes on their way may yet be used */
#else
  retire(i);
#endif
  b[i].role=F; b[i].match=0; b[i].epoch=b[i].depoch; b[i].voted=b[i].dvoted;
  b[i].last=b[i].dlast; k=0;
  do :: k<MAXL -> b[i].log[k]=b[i].dlog[k]; k++ :: else -> break od; k=0;
#ifdef DAMAGE
  if :: b[i].repair==2 -> b[i].repair=1; b[i].tepoch=0; b[i].target=0 :: else fi;
#endif
}

inline tear(i) { k=0;
  do :: k<MAXL && b[i].dlog[k]==b[i].log[k] -> k++ :: else -> break od;
  if :: k<b[i].dlast -> b[i].dlast=k :: else fi;
  do :: k<MAXL -> b[i].dlog[k]=0; k++ :: else -> break od; crash(i) }
#define CUT(i,x)     (b[i].dlog[x]!=0 && b[i].dlog[x]!=b[i].log[x])
#define TORN(i)      (CUT(i,0) || CUT(i,MAXL/2) || CUT(i,MAXL-1))

/* WLOG (the brokers are interchangeable) broker 0 is the first to stand */
#define CAN_STAND(i) (b[i].role!=L && b[i].epoch<MAXE && FIT(i) && CLAIM_OK(i,RANK(i)) && (i==0 || b[0].depoch!=0))
#ifdef TWO_VOTES
#define MAY_VOTE(i,e)    (e>b[i].epoch || b[i].role!=L)
#else
#define MAY_VOTE(i,e)    (e>b[i].epoch || b[i].voted==0)
#endif
#define CAN_GRANT(i,e,c) (c!=i && FIT(i) && m[e].asked[c]!=0 && e>=b[i].epoch && MAY_VOTE(i,e) && \
   RANK_OK(e,c,i))
#define CAN_LEARN(i,e) (e>b[i].epoch && (m[e].asked[0] || m[e].asked[1] || m[e].asked[2]))
#define CAN_APPEND(i,e,n) (m[e].leader!=0 && m[e].leader!=i+1 && e>=b[i].epoch && n<=m[e].last && \
   (e>b[i].epoch || n>b[i].match || b[i].role==C))
#define CAN_COMMIT(i,n) (b[i].role==L && n<=b[i].last && OWN(i,n) && \
   (done[n-1]!=b[i].log[n-1] || by[n-1]>b[i].epoch))

#define VOTE(e,c)    :: d_step { CAN_GRANT(i,e,c) -> grant(i,e,c) }
#define LEARN(e)     :: d_step { CAN_LEARN(i,e) -> adopt_epoch(i,e) }
#define APPEND(e,n)  :: d_step { CAN_APPEND(i,e,n) -> recv_append(i,e,n) }
#define COMMIT(n)    :: d_step { CAN_COMMIT(i,n) -> commit_upto(i,n) }
#define DAMAGED(n)   :: d_step { damages<1 && n<b[i].dlast -> hurt(i,n) }
#if MAXL==1
#define APPENDS(e)   APPEND(e,0) APPEND(e,1)
#define COMMITS      COMMIT(1)
#define DAMAGESET    DAMAGED(0)
#elif MAXL==2
#define APPENDS(e)   APPEND(e,0) APPEND(e,1) APPEND(e,2)
#define COMMITS      COMMIT(1) COMMIT(2)
#define DAMAGESET    DAMAGED(0) DAMAGED(1)
#else
#define APPENDS(e)   APPEND(e,0) APPEND(e,1) APPEND(e,2) APPEND(e,3)
#define COMMITS      COMMIT(1) COMMIT(2) COMMIT(3)
#define DAMAGESET    DAMAGED(0) DAMAGED(1) DAMAGED(2)
#endif
#define VOTES(e)     VOTE(e,0) VOTE(e,1) VOTE(e,2) LEARN(e)
#if MAXE==2
#define EACH_EPOCH(X) X(1) X(2)
#elif MAXE==3
#define EACH_EPOCH(X) X(1) X(2) X(3)
#elif MAXE==4
#define EACH_EPOCH(X) X(1) X(2) X(3) X(4)
#else
#define EACH_EPOCH(X) X(1) X(2) X(3) X(4) X(5)
#endif

#ifdef DAMAGE
inline hurt(i,n) {              /* flushed entries after n are gone; noticed at restart    */
#ifdef CLAIM
  q=RANKOF(EPOCH_OF(b[i].dlog[b[i].dlast-1]), b[i].dlast);
  if :: q>b[i].claim -> b[i].claim=q :: else fi;
#ifdef DROP
  b[i].lost=b[i].dlog[n]; b[i].lostat=n; b[i].lack=0; b[i].again=0;
#endif
#endif
  k=n; do :: k<MAXL -> b[i].dlog[k]=0; k++ :: else -> break od; b[i].dlast=n;
  crash(i); damages++;
#ifndef NO_REPAIR
#ifndef CLAIM
  b[i].repair=1; b[i].tepoch=0; b[i].target=0;
#endif
#endif
}
/* REPAIR_REQ(nonce) -> REPAIR_GOAL(nonce, epoch, last) from a sitting leader */
#ifdef STALE_REPAIR
#define GOAL(j)      :: d_step { b[i].repair==1 && m[j+1].leader!=0 && j+1>=b[i].epoch -> \
                       b[i].repair=2; b[i].tepoch=j+1; b[i].target=(m[j+1].last>0 -> 1 : 0) }
#else
#define GOAL(j)      :: d_step { b[i].repair!=0 && j!=i && b[j].role==L && b[j].epoch>=b[i].epoch && \
                       b[i].tepoch!=b[j].epoch -> \
                       b[i].repair=2; b[i].tepoch=b[j].epoch; b[i].target=b[j].last }
#endif
#endif
#ifdef DROP
#ifdef DROP_ONE
#define DENIED(x)    ((x)!=0)
#else
#define DENIED(x)    ((x)==(7 & ~(1<<i)))
#endif
#ifdef DROP_AT_ONCE
#define LAST_ROUND(i) true
#else
#define LAST_ROUND(i) (b[i].again==1)
#endif
/* FETCH of the hole -> FETCH_DATA: not in my journal */
#define LACKS(j)     :: d_step { b[i].lost!=0 && j!=i && (b[i].lack & (1<<j))==0 && b[j].log[b[i].lostat]!=b[i].lost -> \
                       b[i].lack=b[i].lack|(1<<j); \
                       if :: DENIED(b[i].lack) && !LAST_ROUND(i) -> b[i].lack=0; b[i].again=1 \
                          :: DENIED(b[i].lack) && LAST_ROUND(i) -> forget_claim(i) :: else fi }
#endif
#ifdef ADOPT
#define FETCH(j)     :: d_step { boxto==0 && j!=i && b[i].role==F && RANK(j)>RANK(i) -> fetch(i,j) }
inline fetch(i,j) { boxto=i+1; boxlast=b[j].last; boxepoch=b[j].epoch; k=0;
  do :: k<MAXL -> boxlog[k]=b[j].log[k]; k++ :: else -> break od; k=0 }
inline clearbox() { boxto=0; boxlast=0; boxepoch=0; k=0;
  do :: k<MAXL -> boxlog[k]=0; k++ :: else -> break od; k=0 }
inline adopt(i) { adopt_epoch(i,boxepoch); b[i].last=boxlast; b[i].match=0; k=0;
  do :: k<MAXL -> b[i].log[k]=boxlog[k]; k++ :: else -> break od; clearbox() }
#endif

active [N] proctype broker() {
#define i _pid
end: do
#ifdef PLAIN_BULLY
  /* nobody of higher rank sent OK in time (dead, slow or cut off): COORDINATOR to all */
#ifdef UNIQUE_EPOCH
  :: d_step { CAN_STAND(i) && m[b[i].epoch+1].leader==0 -> stand(i); take_office(i) }
#else
  :: d_step { CAN_STAND(i) -> stand(i); take_office(i) }
#endif
  EACH_EPOCH(LEARN)
#else
  :: d_step { CAN_STAND(i) -> stand(i) }
  EACH_EPOCH(VOTES)
  :: d_step { b[i].role==C && OWN_VOTE(i) && ENOUGH(m[b[i].epoch].votes[i]) -> take_office(i) }
#endif
  :: d_step { b[i].role==L && b[i].last<MAXL -> client_append(i) }
  EACH_EPOCH(APPENDS)
  :: d_step { DIRTY(i) || ACKS(i) -> flush(i) }
#ifdef HELD_ACK
  :: d_step { ACKS(i) && HELD(i) -> m[b[i].epoch].ack[i]=b[i].match }
#endif
  COMMITS
  :: d_step { crashes<MAXC && (DIRTY(i) || b[i].role!=F || b[i].match) -> crash(i); crashes++ }
  :: d_step { crashes<MAXC && TORN(i) -> tear(i); crashes++ }
#ifdef DAMAGE
  DAMAGESET
  GOAL(0) GOAL(1) GOAL(2)
#endif
#ifdef DROP
  LACKS(0) LACKS(1) LACKS(2)
#endif
#ifdef ADOPT
  FETCH(0) FETCH(1) FETCH(2)
  :: d_step { boxto==i+1 && b[i].role==F && BETTER(i) && FIT(i) -> adopt(i) }
  :: d_step { boxto==i+1 -> clearbox() }
#endif
  od
}
