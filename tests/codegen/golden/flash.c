/* (kernel flash (syms B T (D :is 64))
 *   (bufs (Q f32 B T D) (Kx f32 B T D) (V f32 B T D) (O f32 B T D))
 *   (axes (h B) (i T) (j (add i 1)) (jj (add i 1)) (c D) (e D) (c2 D) (j2 T))
 *   (def kt (h c2 j2) (load Kx h j2 c2))
 *   (def s (h i j) (sum (c) (mul (load Q h i c) (kt h c j))))
 *   (def sv (h i j) (mul 0.125 (s h i j)))
 *   (def m (h i) (max (j) (sv h i j)))
 *   (def p (h i j) (exp (sub (sv h i j) (m h i))))
 *   (def l (h i) (sum (j) (p h i j)))
 *   (def o (h i e) (sum (jj) (mul (p h i jj) (load V h jj e))))
 *   (store set O (h i e) (div (o h i e) (l h i)))) */
void flash_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const Q = (const float *)arg[0];
    const float *const Kx = (const float *)arg[1];
    const float *const V = (const float *)arg[2];
    float *const O = (float *)arg[3];
    float *const kt = (float *)arg[4];
    const int64_t T = sym[1];
    const int64_t h = part;
    for (int64_t jp = 0; jp < (T + 31)/32; jp++) {
        for (int64_t c0 = 0; c0 < 4; c0++) {
            gn_tr16_f32(kt + 512*c0 + 2048*jp, 32, Kx + 64*T*h + 16*c0 + 2048*jp, 64, 16, T - 32*jp);
            gn_tr16_f32(kt + 512*c0 + 2048*jp + 16, 32, Kx + 64*T*h + 16*c0 + 2048*jp + 1024, 64, 16, T - 32*jp - 16);
        }
    }
    for (int64_t ir = 0; ir < (T + 1)/2; ir++) {
        float m_0, m_1;
        float m_c_0, m_c_1;
        float l_0, l_1;
        gn_f32x16 l_a_0, l_a_1;
        gn_f32x16 o_0_0, o_0_1, o_0_2, o_0_3, o_1_0, o_1_1, o_1_2, o_1_3;
        m_0 = (-GN_INF_F32);
        m_1 = (-GN_INF_F32);
        l_a_0 = gn_splat_f32x16(0.0f);
        l_a_1 = gn_splat_f32x16(0.0f);
        o_0_0 = gn_splat_f32x16(0.0f);
        o_0_1 = gn_splat_f32x16(0.0f);
        o_0_2 = gn_splat_f32x16(0.0f);
        o_0_3 = gn_splat_f32x16(0.0f);
        o_1_0 = gn_splat_f32x16(0.0f);
        o_1_1 = gn_splat_f32x16(0.0f);
        o_1_2 = gn_splat_f32x16(0.0f);
        o_1_3 = gn_splat_f32x16(0.0f);
        for (int64_t j0 = 0; j0 < ir/16; j0++) {
            gn_f32x16 s_0_0, s_0_1, s_1_0, s_1_1;
            gn_f32x16 sv_0_0, sv_0_1, sv_1_0, sv_1_1;
            float mb_0, mb_1;
            gn_f32x16 mb_a_0, mb_a_1;
            _Alignas(64) float p[64];
            s_0_0 = gn_splat_f32x16(0.0f);
            s_0_1 = gn_splat_f32x16(0.0f);
            s_1_0 = gn_splat_f32x16(0.0f);
            s_1_1 = gn_splat_f32x16(0.0f);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s1 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir)];
                const gn_f32x16 v2 = gn_load_f32x16(kt + 32*c + 2048*j0);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s1), v2, s_0_0);
                const gn_f32x16 v4 = gn_load_f32x16(kt + 32*c + 2048*j0 + 16);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s1), v4, s_0_1);
                const float s6 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir + 1)];
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s6), v2, s_1_0);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s6), v4, s_1_1);
            }
            sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            mb_a_0 = sv_0_0;
            mb_a_0 = gn_max_f32x16(mb_a_0, sv_0_1);
            mb_a_1 = sv_1_0;
            mb_a_1 = gn_max_f32x16(mb_a_1, sv_1_1);
            mb_0 = gn_hmax_f32x16(mb_a_0);
            mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s17 = m_0;
            const float s18 = gn_max_f32(s17, mb_0);
            m_0 = s18;
            const float s19 = gn_max_f32(s18, (-3.4028235e+38f));
            const float s20 = s17 - s19;
            m_c_0 = gn_exp_f32(s20);
            const float s22 = m_1;
            const float s23 = gn_max_f32(s22, mb_1);
            m_1 = s23;
            const float s24 = gn_max_f32(s23, (-3.4028235e+38f));
            const float s25 = s22 - s24;
            m_c_1 = gn_exp_f32(s25);
            const float s27 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v28 = sv_0_0 - gn_splat_f32x16(s27);
            const gn_f32x16 v29 = gn_exp_f32x16(v28);
            const _Bool s30 = 2*ir < T;
            const gn_f32x16 v31 = s30 ? v29 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v31);
            const gn_f32x16 v32 = sv_0_1 - gn_splat_f32x16(s27);
            const gn_f32x16 v33 = gn_exp_f32x16(v32);
            const gn_f32x16 v34 = s30 ? v33 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v34);
            const float s35 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v36 = sv_1_0 - gn_splat_f32x16(s35);
            const gn_f32x16 v37 = gn_exp_f32x16(v36);
            const _Bool s38 = 2*ir + 1 < T;
            const gn_f32x16 v39 = s38 ? v37 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v39);
            const gn_f32x16 v40 = sv_1_1 - gn_splat_f32x16(s35);
            const gn_f32x16 v41 = gn_exp_f32x16(v40);
            const gn_f32x16 v42 = s38 ? v41 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v42);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            l_a_0 = l_a_0 + v31;
            l_a_0 = l_a_0 + v34;
            l_a_1 = l_a_1 + v39;
            l_a_1 = l_a_1 + v42;
            o_0_0 = o_0_0 * gn_splat_f32x16(m_c_0);
            o_0_1 = o_0_1 * gn_splat_f32x16(m_c_0);
            o_0_2 = o_0_2 * gn_splat_f32x16(m_c_0);
            o_0_3 = o_0_3 * gn_splat_f32x16(m_c_0);
            o_1_0 = o_1_0 * gn_splat_f32x16(m_c_1);
            o_1_1 = o_1_1 * gn_splat_f32x16(m_c_1);
            o_1_2 = o_1_2 * gn_splat_f32x16(m_c_1);
            o_1_3 = o_1_3 * gn_splat_f32x16(m_c_1);
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < 32; jq++) {
                const float s57 = p[jq];
                const gn_f32x16 v58 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq);
                o_0_0 = gn_fma_f32x16(gn_splat_f32x16(s57), v58, o_0_0);
                const gn_f32x16 v60 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 16);
                o_0_1 = gn_fma_f32x16(gn_splat_f32x16(s57), v60, o_0_1);
                const gn_f32x16 v62 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 32);
                o_0_2 = gn_fma_f32x16(gn_splat_f32x16(s57), v62, o_0_2);
                const gn_f32x16 v64 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 48);
                o_0_3 = gn_fma_f32x16(gn_splat_f32x16(s57), v64, o_0_3);
                const float s66 = p[jq + 32];
                o_1_0 = gn_fma_f32x16(gn_splat_f32x16(s66), v58, o_1_0);
                o_1_1 = gn_fma_f32x16(gn_splat_f32x16(s66), v60, o_1_1);
                o_1_2 = gn_fma_f32x16(gn_splat_f32x16(s66), v62, o_1_2);
                o_1_3 = gn_fma_f32x16(gn_splat_f32x16(s66), v64, o_1_3);
            }
        }
        for (int64_t j0 = ir/16; j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1; j0++) {
            gn_f32x16 s_0_0, s_0_1, s_1_0, s_1_1;
            gn_f32x16 sv_0_0, sv_0_1, sv_1_0, sv_1_1;
            float mb_0, mb_1;
            gn_f32x16 mb_a_0, mb_a_1;
            _Alignas(64) float p[64];
            s_0_0 = gn_splat_f32x16(0.0f);
            s_0_1 = gn_splat_f32x16(0.0f);
            s_1_0 = gn_splat_f32x16(0.0f);
            s_1_1 = gn_splat_f32x16(0.0f);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s71 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir)];
                const gn_b16 m72 = gn_below_b16(gn_min_i64(T - 1, 2*ir) + 1 - 32*j0);
                const gn_f32x16 v73 = gn_loadm_f32x16(kt, 32*c + 2048*j0, m72);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s71), v73, s_0_0);
                const gn_b16 m75 = gn_below_b16(gn_min_i64(T - 1, 2*ir) - 32*j0 - 15);
                const gn_f32x16 v76 = gn_loadm_f32x16(kt, 32*c + 2048*j0 + 16, m75);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s71), v76, s_0_1);
                const float s78 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir + 1)];
                const gn_b16 m79 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0);
                const gn_f32x16 v80 = gn_loadm_f32x16(kt, 32*c + 2048*j0, m79);
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s78), v80, s_1_0);
                const gn_b16 m82 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) - 32*j0 - 15);
                const gn_f32x16 v83 = gn_loadm_f32x16(kt, 32*c + 2048*j0 + 16, m82);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s78), v83, s_1_1);
            }
            sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            const gn_b16 m89 = gn_below_b16(gn_min_i64(T - 1, 2*ir) + 1 - 32*j0);
            mb_a_0 = gn_sel_f32x16(m89, sv_0_0, gn_splat_f32x16((-GN_INF_F32)));
            const gn_f32x16 v91 = gn_max_f32x16(mb_a_0, sv_0_1);
            const gn_b16 m92 = gn_below_b16(gn_min_i64(T - 1, 2*ir) - 32*j0 - 15);
            mb_a_0 = gn_sel_f32x16(m92, v91, mb_a_0);
            const gn_b16 m94 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0);
            mb_a_1 = gn_sel_f32x16(m94, sv_1_0, gn_splat_f32x16((-GN_INF_F32)));
            const gn_f32x16 v96 = gn_max_f32x16(mb_a_1, sv_1_1);
            const gn_b16 m97 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) - 32*j0 - 15);
            mb_a_1 = gn_sel_f32x16(m97, v96, mb_a_1);
            mb_0 = gn_hmax_f32x16(mb_a_0);
            mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s101 = m_0;
            const float s102 = gn_max_f32(s101, mb_0);
            const _Bool s103 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir), 32) + 1;
            const float s104 = s103 ? s102 : s101;
            m_0 = s104;
            const float s105 = gn_max_f32(s104, (-3.4028235e+38f));
            const float s106 = s101 - s105;
            m_c_0 = gn_exp_f32(s106);
            const float s108 = m_1;
            const float s109 = gn_max_f32(s108, mb_1);
            const _Bool s110 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1;
            const float s111 = s110 ? s109 : s108;
            m_1 = s111;
            const float s112 = gn_max_f32(s111, (-3.4028235e+38f));
            const float s113 = s108 - s112;
            m_c_1 = gn_exp_f32(s113);
            const float s115 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v116 = sv_0_0 - gn_splat_f32x16(s115);
            const gn_f32x16 v117 = gn_exp_f32x16(v116);
            const gn_f32x16 v118 = gn_sel_f32x16(m89, v117, gn_splat_f32x16(0.0f));
            const _Bool s119 = 2*ir < T;
            const gn_f32x16 v120 = s119 ? v118 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v120);
            const gn_f32x16 v121 = sv_0_1 - gn_splat_f32x16(s115);
            const gn_f32x16 v122 = gn_exp_f32x16(v121);
            const gn_f32x16 v123 = gn_sel_f32x16(m92, v122, gn_splat_f32x16(0.0f));
            const gn_f32x16 v124 = s119 ? v123 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v124);
            const float s125 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v126 = sv_1_0 - gn_splat_f32x16(s125);
            const gn_f32x16 v127 = gn_exp_f32x16(v126);
            const gn_f32x16 v128 = gn_sel_f32x16(m94, v127, gn_splat_f32x16(0.0f));
            const _Bool s129 = 2*ir + 1 < T;
            const gn_f32x16 v130 = s129 ? v128 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v130);
            const gn_f32x16 v131 = sv_1_1 - gn_splat_f32x16(s125);
            const gn_f32x16 v132 = gn_exp_f32x16(v131);
            const gn_f32x16 v133 = gn_sel_f32x16(m97, v132, gn_splat_f32x16(0.0f));
            const gn_f32x16 v134 = s129 ? v133 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v134);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            const gn_f32x16 v137 = l_a_0 + v120;
            l_a_0 = gn_sel_f32x16(m89, v137, l_a_0);
            const gn_f32x16 v139 = l_a_0 + v124;
            l_a_0 = gn_sel_f32x16(m92, v139, l_a_0);
            const gn_f32x16 v141 = l_a_1 + v130;
            l_a_1 = gn_sel_f32x16(m94, v141, l_a_1);
            const gn_f32x16 v143 = l_a_1 + v134;
            l_a_1 = gn_sel_f32x16(m97, v143, l_a_1);
            o_0_0 = o_0_0 * gn_splat_f32x16(m_c_0);
            o_0_1 = o_0_1 * gn_splat_f32x16(m_c_0);
            o_0_2 = o_0_2 * gn_splat_f32x16(m_c_0);
            o_0_3 = o_0_3 * gn_splat_f32x16(m_c_0);
            o_1_0 = o_1_0 * gn_splat_f32x16(m_c_1);
            o_1_1 = o_1_1 * gn_splat_f32x16(m_c_1);
            o_1_2 = o_1_2 * gn_splat_f32x16(m_c_1);
            o_1_3 = o_1_3 * gn_splat_f32x16(m_c_1);
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < gn_max_i64(0, gn_min_i64(2*ir + 1 - 32*j0, 32)); jq++) {
                const float s153 = p[jq];
                const gn_f32x16 v154 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq);
                o_0_0 = gn_fma_f32x16(gn_splat_f32x16(s153), v154, o_0_0);
                const gn_f32x16 v156 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 16);
                o_0_1 = gn_fma_f32x16(gn_splat_f32x16(s153), v156, o_0_1);
                const gn_f32x16 v158 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 32);
                o_0_2 = gn_fma_f32x16(gn_splat_f32x16(s153), v158, o_0_2);
                const gn_f32x16 v160 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 48);
                o_0_3 = gn_fma_f32x16(gn_splat_f32x16(s153), v160, o_0_3);
                const float s162 = p[jq + 32];
                o_1_0 = gn_fma_f32x16(gn_splat_f32x16(s162), v154, o_1_0);
                o_1_1 = gn_fma_f32x16(gn_splat_f32x16(s162), v156, o_1_1);
                o_1_2 = gn_fma_f32x16(gn_splat_f32x16(s162), v158, o_1_2);
                o_1_3 = gn_fma_f32x16(gn_splat_f32x16(s162), v160, o_1_3);
            }
            GN_UNROLL(4)
            for (int64_t jq = gn_max_i64(0, gn_min_i64(2*ir + 1 - 32*j0, 32)); jq < gn_min_i64(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0, 32); jq++) {
                const float s167 = p[jq];
                const gn_f32x16 v168 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))));
                const gn_f32x16 v169 = gn_fma_f32x16(gn_splat_f32x16(s167), v168, o_0_0);
                const _Bool s170 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir) + 1;
                o_0_0 = s170 ? v169 : o_0_0;
                const gn_f32x16 v172 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))) + 16);
                const gn_f32x16 v173 = gn_fma_f32x16(gn_splat_f32x16(s167), v172, o_0_1);
                o_0_1 = s170 ? v173 : o_0_1;
                const gn_f32x16 v175 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))) + 32);
                const gn_f32x16 v176 = gn_fma_f32x16(gn_splat_f32x16(s167), v175, o_0_2);
                o_0_2 = s170 ? v176 : o_0_2;
                const gn_f32x16 v178 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))) + 48);
                const gn_f32x16 v179 = gn_fma_f32x16(gn_splat_f32x16(s167), v178, o_0_3);
                o_0_3 = s170 ? v179 : o_0_3;
                const float s181 = p[jq + 32];
                const gn_f32x16 v182 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))));
                const gn_f32x16 v183 = gn_fma_f32x16(gn_splat_f32x16(s181), v182, o_1_0);
                const _Bool s184 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir + 1) + 1;
                o_1_0 = s184 ? v183 : o_1_0;
                const gn_f32x16 v186 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))) + 16);
                const gn_f32x16 v187 = gn_fma_f32x16(gn_splat_f32x16(s181), v186, o_1_1);
                o_1_1 = s184 ? v187 : o_1_1;
                const gn_f32x16 v189 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))) + 32);
                const gn_f32x16 v190 = gn_fma_f32x16(gn_splat_f32x16(s181), v189, o_1_2);
                o_1_2 = s184 ? v190 : o_1_2;
                const gn_f32x16 v192 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))) + 48);
                const gn_f32x16 v193 = gn_fma_f32x16(gn_splat_f32x16(s181), v192, o_1_3);
                o_1_3 = s184 ? v193 : o_1_3;
            }
        }
        l_0 = gn_hsum_f32x16(l_a_0);
        l_1 = gn_hsum_f32x16(l_a_1);
        const gn_f32x16 v197 = o_0_0 / gn_splat_f32x16(l_0);
        const gn_f32x16 v198 = o_0_1 / gn_splat_f32x16(l_0);
        const gn_f32x16 v199 = o_0_2 / gn_splat_f32x16(l_0);
        const gn_f32x16 v200 = o_0_3 / gn_splat_f32x16(l_0);
        if (2*ir < T) {
            gn_store_f32x16(O + 64*T*h + 128*ir, v197);
            gn_store_f32x16(O + 64*T*h + 128*ir + 16, v198);
            gn_store_f32x16(O + 64*T*h + 128*ir + 32, v199);
            gn_store_f32x16(O + 64*T*h + 128*ir + 48, v200);
        }
        const gn_f32x16 v201 = o_1_0 / gn_splat_f32x16(l_1);
        const gn_f32x16 v202 = o_1_1 / gn_splat_f32x16(l_1);
        const gn_f32x16 v203 = o_1_2 / gn_splat_f32x16(l_1);
        const gn_f32x16 v204 = o_1_3 / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T) {
            gn_store_f32x16(O + 64*T*h + 128*ir + 64, v201);
            gn_store_f32x16(O + 64*T*h + 128*ir + 80, v202);
            gn_store_f32x16(O + 64*T*h + 128*ir + 96, v203);
            gn_store_f32x16(O + 64*T*h + 128*ir + 112, v204);
        }
    }
}
