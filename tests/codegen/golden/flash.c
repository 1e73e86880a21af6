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
            mb_a_0 = gn_splat_f32x16((-GN_INF_F32));
            mb_a_1 = gn_splat_f32x16((-GN_INF_F32));
            mb_a_0 = gn_max_f32x16(mb_a_0, sv_0_0);
            mb_a_0 = gn_max_f32x16(mb_a_0, sv_0_1);
            mb_a_1 = gn_max_f32x16(mb_a_1, sv_1_0);
            mb_a_1 = gn_max_f32x16(mb_a_1, sv_1_1);
            mb_0 = gn_hmax_f32x16(mb_a_0);
            mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s19 = m_0;
            const float s20 = gn_max_f32(s19, mb_0);
            m_0 = s20;
            const float s21 = gn_max_f32(s20, (-3.4028235e+38f));
            const float s22 = s19 - s21;
            m_c_0 = gn_exp_f32(s22);
            const float s24 = m_1;
            const float s25 = gn_max_f32(s24, mb_1);
            m_1 = s25;
            const float s26 = gn_max_f32(s25, (-3.4028235e+38f));
            const float s27 = s24 - s26;
            m_c_1 = gn_exp_f32(s27);
            const float s29 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v30 = sv_0_0 - gn_splat_f32x16(s29);
            const gn_f32x16 v31 = gn_exp_f32x16(v30);
            const _Bool s32 = 2*ir < T;
            const gn_f32x16 v33 = s32 ? v31 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v33);
            const gn_f32x16 v34 = sv_0_1 - gn_splat_f32x16(s29);
            const gn_f32x16 v35 = gn_exp_f32x16(v34);
            const gn_f32x16 v36 = s32 ? v35 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v36);
            const float s37 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v38 = sv_1_0 - gn_splat_f32x16(s37);
            const gn_f32x16 v39 = gn_exp_f32x16(v38);
            const _Bool s40 = 2*ir + 1 < T;
            const gn_f32x16 v41 = s40 ? v39 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v41);
            const gn_f32x16 v42 = sv_1_1 - gn_splat_f32x16(s37);
            const gn_f32x16 v43 = gn_exp_f32x16(v42);
            const gn_f32x16 v44 = s40 ? v43 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v44);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            l_a_0 = l_a_0 + v33;
            l_a_0 = l_a_0 + v36;
            l_a_1 = l_a_1 + v41;
            l_a_1 = l_a_1 + v44;
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
                const float s59 = p[jq];
                const gn_f32x16 v60 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq);
                o_0_0 = gn_fma_f32x16(gn_splat_f32x16(s59), v60, o_0_0);
                const gn_f32x16 v62 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 16);
                o_0_1 = gn_fma_f32x16(gn_splat_f32x16(s59), v62, o_0_1);
                const gn_f32x16 v64 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 32);
                o_0_2 = gn_fma_f32x16(gn_splat_f32x16(s59), v64, o_0_2);
                const gn_f32x16 v66 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 48);
                o_0_3 = gn_fma_f32x16(gn_splat_f32x16(s59), v66, o_0_3);
                const float s68 = p[jq + 32];
                o_1_0 = gn_fma_f32x16(gn_splat_f32x16(s68), v60, o_1_0);
                o_1_1 = gn_fma_f32x16(gn_splat_f32x16(s68), v62, o_1_1);
                o_1_2 = gn_fma_f32x16(gn_splat_f32x16(s68), v64, o_1_2);
                o_1_3 = gn_fma_f32x16(gn_splat_f32x16(s68), v66, o_1_3);
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
                const float s73 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir)];
                const gn_f32x16 v74 = gn_load_f32x16(kt + 32*c + 2048*j0);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s73), v74, s_0_0);
                const gn_f32x16 v76 = gn_load_f32x16(kt + 32*c + 2048*j0 + 16);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s73), v76, s_0_1);
                const float s78 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir + 1)];
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s78), v74, s_1_0);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s78), v76, s_1_1);
            }
            sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            mb_a_0 = gn_splat_f32x16((-GN_INF_F32));
            mb_a_1 = gn_splat_f32x16((-GN_INF_F32));
            const gn_f32x16 v85 = gn_max_f32x16(mb_a_0, sv_0_0);
            const gn_b16 m86 = gn_below_b16(gn_min_i64(T - 1, 2*ir) + 1 - 32*j0);
            mb_a_0 = gn_sel_f32x16(m86, v85, mb_a_0);
            const gn_f32x16 v88 = gn_max_f32x16(mb_a_0, sv_0_1);
            const gn_b16 m89 = gn_below_b16(gn_min_i64(T - 1, 2*ir) - 32*j0 - 15);
            mb_a_0 = gn_sel_f32x16(m89, v88, mb_a_0);
            const gn_f32x16 v91 = gn_max_f32x16(mb_a_1, sv_1_0);
            const gn_b16 m92 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0);
            mb_a_1 = gn_sel_f32x16(m92, v91, mb_a_1);
            const gn_f32x16 v94 = gn_max_f32x16(mb_a_1, sv_1_1);
            const gn_b16 m95 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) - 32*j0 - 15);
            mb_a_1 = gn_sel_f32x16(m95, v94, mb_a_1);
            mb_0 = gn_hmax_f32x16(mb_a_0);
            mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s99 = m_0;
            const float s100 = gn_max_f32(s99, mb_0);
            const _Bool s101 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir), 32) + 1;
            const float s102 = s101 ? s100 : s99;
            m_0 = s102;
            const float s103 = gn_max_f32(s102, (-3.4028235e+38f));
            const float s104 = s99 - s103;
            m_c_0 = gn_exp_f32(s104);
            const float s106 = m_1;
            const float s107 = gn_max_f32(s106, mb_1);
            const _Bool s108 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1;
            const float s109 = s108 ? s107 : s106;
            m_1 = s109;
            const float s110 = gn_max_f32(s109, (-3.4028235e+38f));
            const float s111 = s106 - s110;
            m_c_1 = gn_exp_f32(s111);
            const float s113 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v114 = sv_0_0 - gn_splat_f32x16(s113);
            const gn_f32x16 v115 = gn_exp_f32x16(v114);
            const gn_f32x16 v116 = gn_sel_f32x16(m86, v115, gn_splat_f32x16(0.0f));
            const _Bool s117 = 2*ir < T;
            const gn_f32x16 v118 = s117 ? v116 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v118);
            const gn_f32x16 v119 = sv_0_1 - gn_splat_f32x16(s113);
            const gn_f32x16 v120 = gn_exp_f32x16(v119);
            const gn_f32x16 v121 = gn_sel_f32x16(m89, v120, gn_splat_f32x16(0.0f));
            const gn_f32x16 v122 = s117 ? v121 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v122);
            const float s123 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v124 = sv_1_0 - gn_splat_f32x16(s123);
            const gn_f32x16 v125 = gn_exp_f32x16(v124);
            const gn_f32x16 v126 = gn_sel_f32x16(m92, v125, gn_splat_f32x16(0.0f));
            const _Bool s127 = 2*ir + 1 < T;
            const gn_f32x16 v128 = s127 ? v126 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v128);
            const gn_f32x16 v129 = sv_1_1 - gn_splat_f32x16(s123);
            const gn_f32x16 v130 = gn_exp_f32x16(v129);
            const gn_f32x16 v131 = gn_sel_f32x16(m95, v130, gn_splat_f32x16(0.0f));
            const gn_f32x16 v132 = s127 ? v131 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v132);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            const gn_f32x16 v135 = l_a_0 + v118;
            l_a_0 = gn_sel_f32x16(m86, v135, l_a_0);
            const gn_f32x16 v137 = l_a_0 + v122;
            l_a_0 = gn_sel_f32x16(m89, v137, l_a_0);
            const gn_f32x16 v139 = l_a_1 + v128;
            l_a_1 = gn_sel_f32x16(m92, v139, l_a_1);
            const gn_f32x16 v141 = l_a_1 + v132;
            l_a_1 = gn_sel_f32x16(m95, v141, l_a_1);
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
                const float s151 = p[jq];
                const gn_f32x16 v152 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq);
                o_0_0 = gn_fma_f32x16(gn_splat_f32x16(s151), v152, o_0_0);
                const gn_f32x16 v154 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 16);
                o_0_1 = gn_fma_f32x16(gn_splat_f32x16(s151), v154, o_0_1);
                const gn_f32x16 v156 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 32);
                o_0_2 = gn_fma_f32x16(gn_splat_f32x16(s151), v156, o_0_2);
                const gn_f32x16 v158 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 48);
                o_0_3 = gn_fma_f32x16(gn_splat_f32x16(s151), v158, o_0_3);
                const float s160 = p[jq + 32];
                o_1_0 = gn_fma_f32x16(gn_splat_f32x16(s160), v152, o_1_0);
                o_1_1 = gn_fma_f32x16(gn_splat_f32x16(s160), v154, o_1_1);
                o_1_2 = gn_fma_f32x16(gn_splat_f32x16(s160), v156, o_1_2);
                o_1_3 = gn_fma_f32x16(gn_splat_f32x16(s160), v158, o_1_3);
            }
            GN_UNROLL(4)
            for (int64_t jq = gn_max_i64(0, gn_min_i64(2*ir + 1 - 32*j0, 32)); jq < gn_min_i64(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0, 32); jq++) {
                const float s165 = p[jq];
                const gn_f32x16 v166 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))));
                const gn_f32x16 v167 = gn_fma_f32x16(gn_splat_f32x16(s165), v166, o_0_0);
                const _Bool s168 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir) + 1;
                o_0_0 = s168 ? v167 : o_0_0;
                const gn_f32x16 v170 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))) + 16);
                const gn_f32x16 v171 = gn_fma_f32x16(gn_splat_f32x16(s165), v170, o_0_1);
                o_0_1 = s168 ? v171 : o_0_1;
                const gn_f32x16 v173 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))) + 32);
                const gn_f32x16 v174 = gn_fma_f32x16(gn_splat_f32x16(s165), v173, o_0_2);
                o_0_2 = s168 ? v174 : o_0_2;
                const gn_f32x16 v176 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))) + 48);
                const gn_f32x16 v177 = gn_fma_f32x16(gn_splat_f32x16(s165), v176, o_0_3);
                o_0_3 = s168 ? v177 : o_0_3;
                const float s179 = p[jq + 32];
                const gn_f32x16 v180 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))));
                const gn_f32x16 v181 = gn_fma_f32x16(gn_splat_f32x16(s179), v180, o_1_0);
                const _Bool s182 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir + 1) + 1;
                o_1_0 = s182 ? v181 : o_1_0;
                const gn_f32x16 v184 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))) + 16);
                const gn_f32x16 v185 = gn_fma_f32x16(gn_splat_f32x16(s179), v184, o_1_1);
                o_1_1 = s182 ? v185 : o_1_1;
                const gn_f32x16 v187 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))) + 32);
                const gn_f32x16 v188 = gn_fma_f32x16(gn_splat_f32x16(s179), v187, o_1_2);
                o_1_2 = s182 ? v188 : o_1_2;
                const gn_f32x16 v190 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))) + 48);
                const gn_f32x16 v191 = gn_fma_f32x16(gn_splat_f32x16(s179), v190, o_1_3);
                o_1_3 = s182 ? v191 : o_1_3;
            }
        }
        l_0 = gn_hsum_f32x16(l_a_0);
        l_1 = gn_hsum_f32x16(l_a_1);
        const gn_f32x16 v195 = o_0_0 / gn_splat_f32x16(l_0);
        if (2*ir < T)
            gn_store_f32x16(O + 64*T*h + 128*ir, v195);
        const gn_f32x16 v196 = o_0_1 / gn_splat_f32x16(l_0);
        if (2*ir < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 16, v196);
        const gn_f32x16 v197 = o_0_2 / gn_splat_f32x16(l_0);
        if (2*ir < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 32, v197);
        const gn_f32x16 v198 = o_0_3 / gn_splat_f32x16(l_0);
        if (2*ir < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 48, v198);
        const gn_f32x16 v199 = o_1_0 / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 64, v199);
        const gn_f32x16 v200 = o_1_1 / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 80, v200);
        const gn_f32x16 v201 = o_1_2 / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 96, v201);
        const gn_f32x16 v202 = o_1_3 / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 112, v202);
    }
}
